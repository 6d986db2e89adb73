/** The addresses in X-Forwarded-For, whatever proxy wrote them. */
import type { RequestHandler } from 'express';
import { addressesIn } from '../door/client-address.ts';

/** Replaces the entries of X-Forwarded-For by plain addresses, for all that reads it later. */
export const plainForwardedFor: RequestHandler = ({ headers }, _response, next) => {
  const given = headers['x-forwarded-for'];
  if (given !== undefined) headers['x-forwarded-for'] = addressesIn(String(given)).join(', ');
  next();
};
