/**
 * Shares the event loop between connections that send bodies in tiny pieces and all others. Node reads 64 KiB at once: as
 * chunks of one byte these are 10,000 pieces, which take 10 ms. A few hundred such connections in one turn of the loop
 * would block all others for seconds.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { ReadingLevels } from './reading-levels.ts';

/**
 * Pieces of one connection in one turn: about half a millisecond. One that has sent so many small ones in all, in however
 * many turns, is read last from then on.
 */
const PIECES_OF_ONE = 500;
/** Pieces of all connections in one turn. Then no other is read in this turn. */
const PIECES_OF_ALL = 2000;
/** Connections that are read again at once. The first with many pieces stops the others. */
const RESUMED_AT_ONCE = 64;
/** How long to wait for the next, in times of the last turn's length. Heavy ones take a quarter of the time at most. */
const REST = 1;
const REST_OF_HEAVY = 3;
/** Methods whose body no handler reads. */
const BODILESS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

type Connection = { readonly socket: Socket; answers: number; smallPieces: number; isWaiting: boolean };

/** Connections of all servers of this process: they share its event loop. */
const connections = new Map<Socket, Connection>();
/** Connections that are not read. */
const light = new ReadingLevels<Connection>();
const heavy: Connection[] = [];
let isResuming = false;
/** The turn that is counted; undefined if nothing arrived in it. */
let turn: { readonly startedMs: number; readonly piecesOf: Map<Socket, number>; pieces: number } | undefined;
let lastTurnMs = 0;

/** Lets the connections of this server take turns. */
export function takeTurns(server: Server, opened: 'connection' | 'secureConnection'): void {
  server.on(opened, (socket: Socket) => {
    connections.set(socket, { socket, answers: 0, smallPieces: 0, isWaiting: false });
    socket.once('close', () => connections.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    const connection = connections.get(socket);
    if (connection)
      response.once('finish', () => {
        connection.answers += 1;
      });
  });
}

/** To be called for each piece of a body that arrives. It may stop the reading of this connection, or of all. */
export function countPiece(socket: Socket, isSmall = true): void {
  if (!turn) {
    turn = { startedMs: performance.now(), piecesOf: new Map(), pieces: 0 };
    setImmediate(endTurn);
  }
  const pieces = (turn.piecesOf.get(socket) ?? 0) + 1;
  turn.piecesOf.set(socket, pieces);
  turn.pieces += 1;
  const connection = connections.get(socket);
  if (connection && isSmall) connection.smallPieces += 1;
  if (pieces === PIECES_OF_ONE && connection) stopReading(connection);
  if (turn.pieces === PIECES_OF_ALL) for (const other of connections.values()) stopReading(other);
}

/** Drops a body that no handler reads. Node would drop it too, but without counting its pieces. */
export const dropUnreadBody: RequestHandler = (request, _response, next) => {
  if (BODILESS.includes(request.method)) request.resume();
  next();
};

function stopReading(connection: Connection): void {
  const { socket, answers, smallPieces, isWaiting } = connection;
  // Node has stopped reading, and will begin again itself.
  if (socket.isPaused() && !isWaiting) return;
  socket.pause();
  if (isWaiting) return;
  connection.isWaiting = true;
  if (smallPieces >= PIECES_OF_ONE) heavy.push(connection);
  else light.add(connection, answers);
}

function endTurn(): void {
  lastTurnMs = performance.now() - (turn?.startedMs ?? 0);
  turn = undefined;
  resumeLater();
}

function resumeLater(): void {
  if (isResuming || (light.isEmpty && heavy.length === 0)) return;
  isResuming = true;
  setTimeout(resumeNext, (light.isEmpty ? REST_OF_HEAVY : REST) * lastTurnMs);
  lastTurnMs = 0;
}

function resumeNext(): void {
  isResuming = false;
  for (const connection of light.isEmpty ? heavy.splice(0, 1) : light.take(RESUMED_AT_ONCE)) {
    connection.isWaiting = false;
    connection.socket.resume();
  }
  // They are read first. If they send pieces, the next ones follow at the end of the turn.
  setImmediate(() => !turn && resumeLater());
}
