//! The link's state machines as tables.

/// Where the connection of a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkState {
    /// There is none.
    Down,
    /// We connected and sent OPEN.
    OpenSent,
    /// We sent SOH ENQ.
    EnquirySent,
    /// We sent the I record.
    InitialSent,
    /// The partner opened, and we sent ACK.
    Accepted,
    /// We sent DLE ACK0 and wait for the I record.
    AwaitInitial,
    /// We sent the J record and wait for DLE ACK0.
    AwaitLast,
    /// Files and messages go both ways.
    Active,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkInput {
    /// The caller connected to the partner.
    Dialled,
    /// The partner connected and sent OPEN, on another connection.
    PeerOpen,
    /// ACK.
    Ack,
    /// NAK.
    Nak,
    /// SOH ENQ.
    Enquiry,
    /// DLE ACK0.
    Ack0,
    /// NAK of the line protocol (SYN NAK).
    LineNak,
    /// An I record.
    Initial,
    /// A J record.
    Response,
    /// A K, L, M or N record.
    Path,
    /// A block with other records.
    Data,
    /// A null block.
    NullBlock,
    /// An empty TTB.
    KeepAlive,
    /// A B record.
    SignOff,
    /// A time is over.
    Timeout,
    /// The connection is gone.
    Lost,
    /// The caller ends the link.
    Order,
}

/// What is done then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkAction {
    /// Send OPEN.
    SendOpen,
    /// Take the partner's connection and send ACK on it.
    Accept,
    /// Send NAK 3 on the partner's connection; ours goes on.
    RefuseOpening,
    /// Send NAK 2 on the partner's connection, and ask ours for a sign of life.
    RefuseActive,
    /// Send SOH ENQ.
    SendEnquiry,
    /// Send DLE ACK0.
    SendAck0,
    /// Send the I record.
    SendInitial,
    /// Check the I record and send J, or B if it is not right.
    Answer,
    /// Check the J record and send DLE ACK0 and perhaps K or L, or B if it is not
    /// right.
    Confirm,
    /// The link is active.
    Activate,
    /// The link is active; do what the records say.
    ActivateAndHandle,
    /// Do what the records say.
    Handle,
    /// Nothing.
    Ignore,
    /// Close: the partner refused.
    CloseRefused,
    /// Close: it did not answer.
    CloseSilent,
    /// Close: the connection is gone.
    CloseLost,
    /// Close: the partner signed off.
    CloseSignedOff,
    /// Send B and close.
    SignOff,
}

use LinkAction as A;
use LinkInput as I;
use LinkState as S;

/// One row: in this state, upon this input, do this, and be in that state.
pub type LinkRow = (LinkState, LinkInput, LinkAction, LinkState);

/// The link's table. What is not in it breaks the protocol and closes the link.
pub const LINK: &[LinkRow] = &[
    (S::Down, I::Dialled, A::SendOpen, S::OpenSent),
    (S::Down, I::PeerOpen, A::Accept, S::Accepted),
    (S::Down, I::Lost, A::Ignore, S::Down),
    (S::Down, I::Timeout, A::Ignore, S::Down),
    (S::Down, I::Order, A::Ignore, S::Down),
    (S::OpenSent, I::Ack, A::SendEnquiry, S::EnquirySent),
    (S::OpenSent, I::Nak, A::CloseRefused, S::Down),
    (S::OpenSent, I::PeerOpen, A::RefuseOpening, S::OpenSent),
    (S::OpenSent, I::Timeout, A::CloseSilent, S::Down),
    (S::OpenSent, I::Lost, A::CloseLost, S::Down),
    (S::OpenSent, I::Order, A::CloseLost, S::Down),
    (S::EnquirySent, I::Ack0, A::SendInitial, S::InitialSent),
    (S::EnquirySent, I::LineNak, A::SendEnquiry, S::EnquirySent),
    (S::EnquirySent, I::Enquiry, A::SendAck0, S::AwaitInitial),
    (S::EnquirySent, I::KeepAlive, A::Ignore, S::EnquirySent),
    (S::EnquirySent, I::PeerOpen, A::RefuseOpening, S::EnquirySent),
    (S::EnquirySent, I::Timeout, A::CloseSilent, S::Down),
    (S::EnquirySent, I::Lost, A::CloseLost, S::Down),
    (S::EnquirySent, I::Order, A::SignOff, S::Down),
    (S::InitialSent, I::Response, A::Confirm, S::Active),
    (S::InitialSent, I::Ack0, A::Ignore, S::InitialSent),
    (S::InitialSent, I::KeepAlive, A::Ignore, S::InitialSent),
    (S::InitialSent, I::SignOff, A::CloseSignedOff, S::Down),
    (S::InitialSent, I::PeerOpen, A::RefuseOpening, S::InitialSent),
    (S::InitialSent, I::Timeout, A::CloseSilent, S::Down),
    (S::InitialSent, I::Lost, A::CloseLost, S::Down),
    (S::InitialSent, I::Order, A::SignOff, S::Down),
    (S::Accepted, I::Enquiry, A::SendAck0, S::AwaitInitial),
    (S::Accepted, I::LineNak, A::SendEnquiry, S::EnquirySent),
    (S::Accepted, I::KeepAlive, A::Ignore, S::Accepted),
    (S::Accepted, I::PeerOpen, A::RefuseActive, S::Accepted),
    (S::Accepted, I::Timeout, A::CloseSilent, S::Down),
    (S::Accepted, I::Lost, A::CloseLost, S::Down),
    (S::Accepted, I::Order, A::SignOff, S::Down),
    (S::AwaitInitial, I::Initial, A::Answer, S::AwaitLast),
    (S::AwaitInitial, I::Enquiry, A::SendAck0, S::AwaitInitial),
    (S::AwaitInitial, I::KeepAlive, A::Ignore, S::AwaitInitial),
    (S::AwaitInitial, I::SignOff, A::CloseSignedOff, S::Down),
    (S::AwaitInitial, I::PeerOpen, A::RefuseActive, S::AwaitInitial),
    (S::AwaitInitial, I::Timeout, A::CloseSilent, S::Down),
    (S::AwaitInitial, I::Lost, A::CloseLost, S::Down),
    (S::AwaitInitial, I::Order, A::SignOff, S::Down),
    (S::AwaitLast, I::Ack0, A::Activate, S::Active),
    (S::AwaitLast, I::Path, A::Activate, S::Active),
    (S::AwaitLast, I::NullBlock, A::Activate, S::Active),
    (S::AwaitLast, I::Data, A::ActivateAndHandle, S::Active),
    (S::AwaitLast, I::KeepAlive, A::Ignore, S::AwaitLast),
    (S::AwaitLast, I::SignOff, A::CloseSignedOff, S::Down),
    (S::AwaitLast, I::PeerOpen, A::RefuseActive, S::AwaitLast),
    (S::AwaitLast, I::Timeout, A::CloseSilent, S::Down),
    (S::AwaitLast, I::Lost, A::CloseLost, S::Down),
    (S::AwaitLast, I::Order, A::SignOff, S::Down),
    (S::Active, I::Data, A::Handle, S::Active),
    (S::Active, I::NullBlock, A::Ignore, S::Active),
    (S::Active, I::KeepAlive, A::Ignore, S::Active),
    (S::Active, I::Ack0, A::Ignore, S::Active),
    (S::Active, I::Path, A::Ignore, S::Active),
    (S::Active, I::SignOff, A::CloseSignedOff, S::Down),
    (S::Active, I::PeerOpen, A::RefuseActive, S::Active),
    (S::Active, I::Timeout, A::CloseSilent, S::Down),
    (S::Active, I::Lost, A::CloseLost, S::Down),
    (S::Active, I::Order, A::SignOff, S::Down),
];

/// Where a job that we receive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReceiveState {
    /// None is under way on the stream.
    #[default]
    Free,
    /// The partner asked; the caller has not answered.
    Asked,
    /// Records come.
    Open,
    /// The job is whole; the caller has not said that it is durable.
    Whole,
    /// The caller cancelled; the rest is passed over.
    Cancelled,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiveInput {
    /// X'90'.
    Request,
    /// X'90' with the FAST OPEN flag.
    FastRequest,
    /// A record of the job.
    Record,
    /// Its end.
    EndOfFile,
    /// The partner gives it up.
    Abort,
    /// The caller permits.
    Permit,
    /// The caller refuses, or cancels.
    Refuse,
    /// The caller has it safe.
    Acknowledge,
}

/// What is done then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiveAction {
    /// Tell the caller.
    Tell,
    /// Send X'A0'.
    SendPermit,
    /// Send X'B0'.
    SendRefuse,
    /// Send X'C0': the job is ours now, and the partner deletes it.
    SendComplete,
    /// Nothing.
    Ignore,
}

/// The table of a receiving stream. What is not in it is the partner's breach of
/// the protocol or the caller's mistake.
pub const RECEIVE: &[(ReceiveState, ReceiveInput, ReceiveAction, ReceiveState)] = {
    use ReceiveAction as A;
    use ReceiveInput as I;
    use ReceiveState as S;
    &[
        (S::Free, I::Request, A::Tell, S::Asked),
        (S::Free, I::FastRequest, A::Tell, S::Open),
        (S::Asked, I::Request, A::Ignore, S::Asked),
        (S::Asked, I::Permit, A::SendPermit, S::Open),
        (S::Asked, I::Refuse, A::SendRefuse, S::Free),
        (S::Open, I::Record, A::Tell, S::Open),
        (S::Open, I::EndOfFile, A::Tell, S::Whole),
        (S::Open, I::Abort, A::Tell, S::Free),
        (S::Open, I::Refuse, A::SendRefuse, S::Cancelled),
        (S::Whole, I::Acknowledge, A::SendComplete, S::Free),
        (S::Cancelled, I::Record, A::Ignore, S::Cancelled),
        (S::Cancelled, I::EndOfFile, A::Ignore, S::Free),
        (S::Cancelled, I::Abort, A::Ignore, S::Free),
    ]
};

/// Where a job that we send is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SendState {
    /// None is under way on the stream.
    #[default]
    Free,
    /// We asked.
    Asked,
    /// Records go.
    Open,
    /// All went; the partner has not said that it took the job over.
    Sent,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendInput {
    /// The caller has a job.
    Start,
    /// X'A0'.
    Permit,
    /// X'B0'.
    Refuse,
    /// X'C0'.
    Complete,
    /// The caller writes a record.
    Write,
    /// The caller ends the job.
    End,
}

/// What is done then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendAction {
    /// Send X'90'.
    SendRequest,
    /// Tell the caller that it may write.
    TellPermitted,
    /// Tell the caller that the partner does not want it.
    TellRefused,
    /// Tell the caller that the partner has enough of it; if it is not all sent,
    /// give it up by X'40' (not verified: no peer at hand cancels).
    TellCancelled,
    /// Tell the caller that the job is the partner's now.
    TellConfirmed,
    /// Send the record.
    SendRecord,
    /// Send the end of the file.
    SendEnd,
    /// Nothing.
    Ignore,
}

/// The table of a sending stream. What is not in it is the partner's breach of
/// the protocol or the caller's mistake.
pub const SEND: &[(SendState, SendInput, SendAction, SendState)] = {
    use SendAction as A;
    use SendInput as I;
    use SendState as S;
    &[
        (S::Free, I::Start, A::SendRequest, S::Asked),
        (S::Free, I::Refuse, A::Ignore, S::Free),
        (S::Asked, I::Permit, A::TellPermitted, S::Open),
        (S::Asked, I::Refuse, A::TellRefused, S::Free),
        (S::Open, I::Permit, A::Ignore, S::Open),
        (S::Open, I::Write, A::SendRecord, S::Open),
        (S::Open, I::End, A::SendEnd, S::Sent),
        (S::Open, I::Refuse, A::TellCancelled, S::Free),
        (S::Sent, I::Complete, A::TellConfirmed, S::Free),
        (S::Sent, I::Refuse, A::TellCancelled, S::Free),
    ]
};

/// The row of a table for a state and an input.
pub(crate) fn step<S: Copy + PartialEq, I: Copy + PartialEq, A: Copy>(
    table: &[(S, I, A, S)],
    state: S,
    input: I,
) -> Option<(A, S)> {
    let row = table.iter().find(|(from, upon, _, _)| *from == state && *upon == input)?;
    Some((row.2, row.3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::fmt::{Debug, Write as _};
    use std::hash::Hash;

    fn printed<S: Debug, I: Debug, A: Debug>(title: &str, table: &[(S, I, A, S)]) -> String {
        let mut text =
            format!("## {title}\n\n| state | input | action | next state |\n|---|---|---|---|\n");
        for (state, input, action, next) in table {
            writeln!(text, "| {state:?} | {input:?} | {action:?} | {next:?} |").unwrap();
        }
        text
    }

    fn no_row_twice<S: Copy + Eq + Hash + Debug, I: Copy + Eq + Hash + Debug, A>(
        table: &[(S, I, A, S)],
    ) {
        let mut seen = HashSet::new();
        for (state, input, _, _) in table {
            assert!(seen.insert((*state, *input)), "{state:?} {input:?} stands twice");
        }
    }

    #[test]
    fn the_printed_tables_are_the_codes() {
        let text = [
            printed("The link", LINK),
            printed("A job that is received", RECEIVE),
            printed("A job that is sent", SEND),
        ]
        .join("\n");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/link/tables.md");
        if std::env::var_os("NJE_WRITE_TABLES").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
        no_row_twice(LINK);
        no_row_twice(RECEIVE);
        no_row_twice(SEND);
    }

    #[test]
    fn every_state_with_a_connection_ends_when_it_is_lost_or_silent() {
        for state in LINK.iter().map(|row| row.0).filter(|state| *state != LinkState::Down) {
            for input in [LinkInput::Lost, LinkInput::Timeout, LinkInput::Order] {
                let (_, next) = step(LINK, state, input).unwrap();
                assert_eq!(next, LinkState::Down, "{state:?} {input:?}");
            }
            let (_, next) = step(LINK, state, LinkInput::PeerOpen).unwrap();
            assert_eq!(next, state, "a second connection takes nothing from the first");
        }
    }
}
