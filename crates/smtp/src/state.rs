//! What may follow what: the session's states as a table.

use crate::command::Verb;
use crate::reply::Reply;

/// Where a session stands (RFC 5321 section 4.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Connected, or fresh after STARTTLS: nobody said hello yet.
    Start,
    /// Between transactions.
    Ready,
    /// MAIL was accepted, no RCPT yet.
    Sender,
    /// At least one RCPT was accepted.
    Recipients,
    /// Within a message that comes by BDAT.
    Chunks,
    /// A chunk failed: RFC 3030 section 2 wants RSET.
    Failed,
}

/// What the table says of a verb in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// May be carried out.
    Allowed,
    /// `503 5.5.1` with the text.
    Sequence(&'static str),
    /// `554 5.5.1`: every recipient was refused.
    NoRecipients,
}

impl Verdict {
    /// The refusal, if it is one.
    pub fn refusal(self) -> Option<Reply> {
        match self {
            Self::Allowed => None,
            Self::Sequence(text) => Some(Reply::new(503, (5, 5, 1), text)),
            Self::NoRecipients => Some(Reply::new(554, (5, 5, 1), "no valid recipients")),
        }
    }
}

const OK: Verdict = Verdict::Allowed;
const HELLO: Verdict = Verdict::Sequence("say hello first");
const MAIL: Verdict = Verdict::Sequence("MAIL first");
const NEST: Verdict = Verdict::Sequence("a transaction is open; RSET first");
const CHNK: Verdict = Verdict::Sequence("BDAT must go on or RSET");
const RSET: Verdict = Verdict::Sequence("the message failed; RSET first");
const NONE: Verdict = Verdict::NoRecipients;

#[rustfmt::skip]
const TABLE: [(State, [Verdict; 17]); 6] = [
    //                    EHLO HELO LHLO MAIL   RCPT   DATA   BDAT   RSET NOOP QUIT VRFY   EXPN   HELP TLS    AUTH   XFWD   ETRN
    (State::Start,      [OK,  OK,  OK,  HELLO, HELLO, HELLO, HELLO, OK,  OK,  OK,  HELLO, HELLO, OK,  HELLO, HELLO, HELLO, HELLO]),
    (State::Ready,      [OK,  OK,  OK,  OK,    MAIL,  MAIL,  MAIL,  OK,  OK,  OK,  OK,    OK,    OK,  OK,    OK,    OK,    OK  ]),
    (State::Sender,     [OK,  OK,  OK,  NEST,  OK,    NONE,  NONE,  OK,  OK,  OK,  OK,    OK,    OK,  NEST,  NEST,  NEST,  NEST ]),
    // XFORWARD: our own services say there what they have found out (HOLD).
    (State::Recipients, [OK,  OK,  OK,  NEST,  OK,    OK,    OK,    OK,  OK,  OK,  OK,    OK,    OK,  NEST,  NEST,  OK,    NEST ]),
    (State::Chunks,     [OK,  OK,  OK,  CHNK,  CHNK,  CHNK,  OK,    OK,  OK,  OK,  CHNK,  CHNK,  OK,  CHNK,  CHNK,  CHNK,  CHNK ]),
    (State::Failed,     [OK,  OK,  OK,  RSET,  RSET,  RSET,  RSET,  OK,  OK,  OK,  RSET,  RSET,  OK,  RSET,  RSET,  RSET,  RSET ]),
];

impl State {
    /// Whether a verb may come in this state.
    pub fn verdict(self, verb: Verb) -> Verdict {
        TABLE
            .iter()
            .find(|(state, _)| *state == self)
            .and_then(|(_, row)| Verb::ALL.iter().position(|v| *v == verb).and_then(|i| row.get(i)))
            .copied()
            .unwrap_or(HELLO)
    }

    /// Whether a transaction is open.
    pub const fn in_transaction(self) -> bool {
        matches!(self, Self::Sender | Self::Recipients | Self::Chunks | Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rset_noop_quit_and_hello_are_always_allowed() {
        for (state, _) in TABLE {
            for verb in [Verb::Rset, Verb::Noop, Verb::Quit, Verb::Ehlo, Verb::Helo, Verb::Help] {
                assert_eq!(state.verdict(verb), Verdict::Allowed, "{state:?} {verb:?}");
            }
        }
    }

    #[test]
    fn a_message_comes_only_after_a_recipient() {
        let takes: Vec<State> = TABLE
            .iter()
            .filter(|(s, _)| s.verdict(Verb::Data) == Verdict::Allowed)
            .map(|(s, _)| *s)
            .collect();
        assert_eq!(takes, [State::Recipients]);
        let takes: Vec<State> = TABLE
            .iter()
            .filter(|(s, _)| s.verdict(Verb::Bdat) == Verdict::Allowed)
            .map(|(s, _)| *s)
            .collect();
        assert_eq!(takes, [State::Recipients, State::Chunks]);
    }
}
