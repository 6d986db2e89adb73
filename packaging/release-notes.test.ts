import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notesOf } from './release-notes.ts';

const CHANGELOG = `# Changelog

## Unreleased

### Added
- New.

## 0.2.0 (2026-12-01)

### Fixed
- A fault.

## 0.1.0
`;

test('the notes are the part of the version', () => {
  assert.deepEqual(notesOf(CHANGELOG, '0.2.0'), { text: '### Fixed\n- A fault.\n', isUnreleased: false });
});

test('a version without text takes what is not released yet', () => {
  for (const version of ['0.1.0', '0.3.0']) {
    assert.deepEqual(notesOf(CHANGELOG, version), { text: '### Added\n- New.\n', isUnreleased: true });
  }
});

test('without both there are no notes', () => {
  assert.equal(notesOf('# Changelog\n\n## Unreleased\n\n## 0.1.0\n', '0.1.0'), undefined);
});
