/** A call over gRPC passes the door. */
import { constants } from 'node:http2';
import type { HoldBody } from '../door/body-memory.ts';
import { clientAddress, type Trusts } from '../door/client-address.ts';
import type { Arrival, Pass } from '../door/door.ts';
import type { HoldAnswer } from '../door/unread-answers.ts';
import { asGatewayError, GatewayError } from '../errors.ts';
import type { Arrived, OnCall } from './calls.ts';
import { createPieceCounter } from './crumbs.ts';
import { checkHeaders, httpStatusFor, textOf } from './headers.ts';
import type { Call, Method, Methods, OpenMethod } from './method.ts';
import { receiveMessage } from './receive.ts';
import { type Answer, failure, lengthOf, send, success } from './reply.ts';
import { timeoutMsOf } from './timeout.ts';

export type GrpcDoorOptions = {
  readonly pass: Pass;
  readonly hold: HoldBody;
  readonly holdAnswer: HoldAnswer;
  readonly maxMessageBytes: number;
  /** An answer of which the client takes nothing for so long is dropped. */
  readonly idleMs: number;
  /** Which proxies are trusted to tell the client's address. */
  readonly trusts: Trusts;
  readonly methods: Methods;
  readonly openMethods: Methods<OpenMethod>;
};

/** Creates the function that takes the calls of a server. */
export function createGrpcDoor(options: GrpcDoorOptions): OnCall {
  const { pass, hold, holdAnswer, maxMessageBytes: maxBytes, idleMs, trusts, methods, openMethods } = options;
  const onPiece = createPieceCounter();
  const callOf = ({ stream, headers }: Arrived, signal: AbortSignal): Call => ({
    message() {
      const coding = textOf(headers['grpc-encoding']);
      return receiveMessage(stream, { maxBytes, held: hold(stream), signal, coding, onPiece });
    },
  });

  function throughDoor(arrived: Arrived, method: Method | undefined): Promise<void> {
    const { stream, headers } = arrived;
    const metadata: Record<string, string> = {};
    const setHeader = (name: string, value: string) => {
      metadata[name.toLowerCase()] = value;
    };
    let isAnswered = false;
    return pass<Answer>(arrivalOf(arrived, trusts, method !== undefined), {
      setHeader,
      onGone: (hangUp) => stream.once('close', () => !isAnswered && hangUp()),
      isGone: () => stream.destroyed || stream.closed,
      async handle(context) {
        checkHeaders(headers);
        if (!method) throw new GatewayError('not_found', 'There is no such method here.');
        const reply = await method(callOf(arrived, context.signal), context);
        holdAnswer(stream, lengthOf(reply), () => stream.close(constants.NGHTTP2_CANCEL));
        return success(reply);
      },
      refuse(error) {
        setHeader('tensorgate-kind', error.kind);
        if (error.retryAfterS !== undefined) setHeader('retry-after', String(error.retryAfterS));
        return failure(error);
      },
      send(answer, about) {
        isAnswered = true;
        for (const [name, value] of Object.entries(about)) setHeader(name, value);
        send(stream, answer, { httpStatus: httpStatusFor(headers), metadata, idleMs });
      },
    });
  }

  async function directly(arrived: Arrived, method: OpenMethod): Promise<void> {
    const { stream, headers } = arrived;
    const answer = await Promise.try(() => checkHeaders(headers))
      .then(() => method(callOf(arrived, AbortSignal.timeout(idleMs))))
      .then(success, (thrown) => failure(asGatewayError(thrown)));
    send(stream, answer, { httpStatus: httpStatusFor(headers), metadata: {}, idleMs });
  }

  return (arrived) => {
    const path = arrived.headers[':path'] ?? '';
    const open = ownValue(openMethods, path);
    return open ? directly(arrived, open) : throughDoor(arrived, ownValue(methods, path));
  };
}

function arrivalOf({ stream, headers }: Arrived, trusts: Trusts, isKnown: boolean): Arrival {
  const { socket } = stream.session ?? {};
  return {
    route: isKnown ? (headers[':path'] ?? '') : 'none',
    method: 'gRPC',
    requestId: textOf(headers['x-request-id']),
    traceparent: textOf(headers.traceparent),
    tracestate: [headers.tracestate ?? []].flat().join(','),
    authorization: headers.authorization,
    apiKey: textOf(headers['x-api-key']),
    client: clientAddress(socket?.remoteAddress ?? '', textOf(headers['x-forwarded-for']), trusts),
    sent: { header: (name) => textOf(headers[name]), query: () => undefined },
    timeoutMs: timeoutMsOf(textOf(headers['grpc-timeout']) ?? ''),
  };
}

function ownValue<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
