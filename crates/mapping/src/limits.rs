//! Bounds. The original's were so low that administrators met them (30 lines,
//! tags of 10 characters, rules and results of 2,048: Q266269, Q240910,
//! Q180517); these are met by mistakes and attacks only.

/// Octets of a table; the longest shipped one has two thousand.
pub const MAX_TABLE: usize = 1 << 20;
/// Lines of a table.
pub const MAX_LINES: usize = 10_000;
/// Octets of one line, so of one rule.
pub const MAX_RULE: usize = 16_384;
/// Characters of a rule's result and of everything on the way to it.
pub const MAX_RESULT: usize = 16_384;
/// Calls in calls: far more than people read, far less than the stack holds.
pub const MAX_DEPTH: usize = 32;
/// Characters of a tag.
pub const MAX_TAG: usize = 64;
/// Octets of an attribute's name.
pub const MAX_ATTRIBUTE: usize = 256;
/// Problems that are told at once; a table with more is another kind of file.
pub const MAX_PROBLEMS: usize = 100;
/// Values of one filter (the original's successors took 10, KB318696).
pub const MAX_OPERANDS: usize = 1_000;
