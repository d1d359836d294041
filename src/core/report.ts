/**
 * What a new binary says of itself in its self-test: one line of JSON, and untrusted.
 */
import * as v from 'valibot';

export type Report = {
  /** Its version. */
  readonly svinit: string;
  /** How many services it found in the state it was given. */
  readonly services: number;
};

export const encodeReport = (report: Report): string => JSON.stringify(report);

/** Null when it is something else, as any other program would say it. */
export function parseReport(text: string): Report | null {
  try {
    const result = v.safeParse(ReportSchema, JSON.parse(text));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}

const ReportSchema = v.strictObject({
  svinit: v.pipe(v.string(), v.regex(/^[0-9A-Za-z.+-]{1,64}$/)),
  services: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
