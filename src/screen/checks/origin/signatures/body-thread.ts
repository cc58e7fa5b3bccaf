/** The thread of body-hashing.ts: bodies as they stream in, several at once. */
import { type BodyHashes, bodyHashes } from '../../../../protocol/dkim/body-hashes.ts';
import { answerJobs } from '../../../../world/workers/answer.ts';
import type { BodyAnswer, BodyQuestion } from './body-hashing.ts';

answerJobs<BodyQuestion, BodyAnswer>(() => {
  let hashes: BodyHashes = bodyHashes([]);
  return (question) => {
    switch (question.kind) {
      case 'begin':
        hashes = bodyHashes(question.wanted);
        return {};
      case 'chunk':
        hashes.push(question.chunk);
        return { isDone: hashes.isDone() };
      case 'end':
        return { hashed: hashes.end() };
    }
  };
});
