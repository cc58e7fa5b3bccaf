/**
 * The answers of operations: a schema each, of the JSON that goes over the wire. What a schema does not
 * name is a mistake, which tests find: they have every answer checked (`checkAnswer`). Nothing is
 * checked while a node serves, as what it answers is its own.
 */
import { type TProperties, type TSchema, Type } from 'typebox';
import { Check, Errors } from 'typebox/value';

/** Nothing but these. */
export function Answer<const P extends TProperties>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

export function PageAnswer(row: TSchema, more: TProperties = {}) {
  return Answer({ rows: Type.Array(row), more: Type.Boolean(), next: Type.Optional(Type.String()), ...more });
}

export const Nullable = (schema: TSchema) => Type.Union([schema, Type.Null()]);
export const Strings = Type.Array(Type.String());

/** Throws where the answer is not as declared; a defect. */
export function checkAnswer(operation: { readonly name: string; readonly answer: TSchema }, output: unknown): void {
  const sent: unknown = JSON.parse(JSON.stringify(output ?? null));
  if (Check(operation.answer, sent)) return;
  const error = Errors(operation.answer, sent)[0];
  throw new Error(
    `invariant broken: the answer of ${operation.name} must be as declared: ${error?.instancePath || 'it'} ${error?.message ?? 'is not'}`,
  );
}
