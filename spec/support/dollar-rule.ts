import { ESLintUtils, type TSESTree } from '@typescript-eslint/utils';
import type { Type } from 'typescript';

const STREAMS = new Set([
  'Observable',
  'Subject',
  'BehaviorSubject',
  'ReplaySubject',
  'AsyncSubject',
  'ColdObservable',
  'HotObservable',
]);

const isStream = (type: Type): boolean =>
  type.isUnionOrIntersection() ? type.types.some(isStream) : STREAMS.has(type.getSymbol()?.name ?? '');

/**
 * `$` on every variable and parameter that holds a stream, and on no other. rxjs-x's `finnish` also asks it of functions
 * that return one, which is the opposite of the house rule.
 */
export const dollarRule = ESLintUtils.RuleCreator.withoutDocs({
  meta: {
    type: 'problem',
    schema: [],
    defaultOptions: [],
    messages: { missing: '"{{name}}" holds a stream: end it in $.', wrong: '"{{name}}" holds no stream: drop the $.' },
  },
  create: (context) => {
    const services = ESLintUtils.getParserServices(context);
    const check = (node: TSESTree.Identifier): void => {
      const stream = isStream(services.getTypeAtLocation(node));
      if (stream === node.name.endsWith('$')) return;
      context.report({ node, messageId: stream ? 'missing' : 'wrong', data: { name: node.name } });
    };
    return {
      'VariableDeclarator > Identifier.id': check,
      'ArrowFunctionExpression > Identifier.params': check,
      'FunctionDeclaration > Identifier.params': check,
      'FunctionExpression > Identifier.params': check,
    };
  },
});
