/** Maps and sets that count how often somebody looks into them: work without a clock. */

export type Count = { looks: number };

export class CountingMap<K, V> extends Map<K, V> {
  readonly #count: Count;

  constructor(entries: Iterable<readonly [K, V]>, count: Count) {
    super();
    this.#count = count;
    for (const [key, value] of entries) super.set(key, value);
  }

  override get(key: K): V | undefined {
    this.#count.looks += 1;
    return super.get(key);
  }

  override has(key: K): boolean {
    this.#count.looks += 1;
    return super.has(key);
  }

  override *entries(): MapIterator<[K, V]> {
    for (const entry of super.entries()) {
      this.#count.looks += 1;
      yield entry;
    }
  }

  override *keys(): MapIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  override *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  override [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }
}

export class CountingSet<T> extends Set<T> {
  readonly #count: Count;

  constructor(values: Iterable<T>, count: Count) {
    super();
    this.#count = count;
    for (const value of values) super.add(value);
  }

  override has(value: T): boolean {
    this.#count.looks += 1;
    return super.has(value);
  }

  override *values(): SetIterator<T> {
    for (const value of super.values()) {
      this.#count.looks += 1;
      yield value;
    }
  }

  override keys(): SetIterator<T> {
    return this.values();
  }

  override [Symbol.iterator](): SetIterator<T> {
    return this.values();
  }
}
