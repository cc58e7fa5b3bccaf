/**
 * The answers of operations: a schema each, of the JSON that is sent. A field that is not in the schema is a mistake,
 * which tests find: they have every answer checked (`checkAnswer`). A serving node does not check its own answers.
 */
import { type TProperties, type TSchema, Type } from 'typebox';
import { Check, Errors } from 'typebox/value';

/** An object with these members and no others. */
export function Answer<const P extends TProperties>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

export function PageAnswer(row: TSchema, more: TProperties = {}) {
  return Answer({ rows: Type.Array(row), more: Type.Boolean(), next: Type.Optional(Type.String()), ...more });
}

export const Nullable = (schema: TSchema) => Type.Union([schema, Type.Null()]);
export const Strings = Type.Array(Type.String());

/** Throws if the answer does not match its schema; a defect. */
export function checkAnswer(operation: { readonly name: string; readonly answer: TSchema }, output: unknown): void {
  const sent: unknown = JSON.parse(JSON.stringify(output ?? null));
  if (Check(operation.answer, sent)) return;
  const error = Errors(operation.answer, sent)[0];
  throw new Error(
    `invariant broken: the answer of ${operation.name} must be as declared: ${error?.instancePath || 'it'} ${error?.message ?? 'is not'}`,
  );
}
