//! Supervision as one table: state x event -> next state and actions.
//!
//! The documentation prints this table ([`markdown`]). A pair that the table
//! does not list changes nothing.

use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// What a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// No process, and none is wanted.
    Stopped,
    /// A process is wanted as soon as every dependency is ready.
    Waiting,
    /// The process runs and has not said READY=1.
    Starting,
    /// The process does its work.
    Ready,
    /// The process was asked to end, and will not be started again.
    Stopping,
    /// The process was asked to end, and will be started again.
    Restarting,
    /// The process was killed because it hung; its end is awaited.
    Crashing,
    /// The process crashed; a wait before the next start.
    BackOff,
    /// No process; it crashed too often or said that a restart is useless.
    Failed,
}

/// What happens to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The administrator, or the controller's own start, wants it.
    Start,
    /// The administrator, or the controller's own end, does not want it.
    Stop,
    /// The administrator wants a fresh process.
    Restart,
    /// Every dependency is ready.
    DependenciesReady,
    /// The process said READY=1.
    Ready,
    /// The process ended with exit code 0.
    Exited,
    /// The process ended otherwise, or could not be started.
    Crashed,
    /// The same, and the crash budget is used up.
    CrashedTooOften,
    /// The process ended with exit code 78: its configuration must be mended.
    Refused,
    /// The process gave no sign of life in time.
    WatchdogMissed,
    /// The process did not say READY=1 in time.
    StartTimeOut,
    /// The process did not end in time.
    StopTimeOut,
    /// The wait before the next start is over.
    BackOffOver,
}

/// What the controller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Open the sockets that are not open and start the process.
    Spawn,
    /// Ask the process to end (SIGTERM).
    Terminate,
    /// End the process (SIGKILL).
    Kill,
    /// Close the listening sockets, so that clients are refused, not kept waiting.
    CloseSockets,
    /// Count crashes from zero again.
    ForgetCrashes,
}

/// What limits the time in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timer {
    /// `start-time`, then [`Event::StartTimeOut`].
    Start,
    /// `stop-time`, then [`Event::StopTimeOut`].
    Stop,
    /// `watchdog`, from READY=1 and from each WATCHDOG=1, then [`Event::WatchdogMissed`].
    Watchdog,
    /// The back-off, then [`Event::BackOffOver`].
    BackOff,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// In this state,
    pub state: State,
    /// on this event,
    pub event: Event,
    /// go to this state
    pub next: State,
    /// and do this.
    pub actions: &'static [Action],
}

const fn row(state: State, event: Event, next: State, actions: &'static [Action]) -> Row {
    Row { state, event, next, actions }
}

use Action::{CloseSockets, ForgetCrashes, Kill, Spawn, Terminate};
use State as S;

/// The table.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row(S::Stopped,    Event::Start,             S::Waiting,    &[ForgetCrashes]),
    row(S::Stopped,    Event::Restart,           S::Waiting,    &[ForgetCrashes]),

    row(S::Waiting,    Event::Stop,              S::Stopped,    &[CloseSockets]),
    row(S::Waiting,    Event::DependenciesReady, S::Starting,   &[Spawn]),

    row(S::Starting,   Event::Stop,              S::Stopping,   &[Terminate]),
    row(S::Starting,   Event::Restart,           S::Restarting, &[Terminate]),
    row(S::Starting,   Event::Ready,             S::Ready,      &[]),
    row(S::Starting,   Event::Exited,            S::BackOff,    &[]),
    row(S::Starting,   Event::Crashed,           S::BackOff,    &[]),
    row(S::Starting,   Event::CrashedTooOften,   S::Failed,     &[CloseSockets]),
    row(S::Starting,   Event::Refused,           S::Failed,     &[CloseSockets]),
    row(S::Starting,   Event::StartTimeOut,      S::Crashing,   &[Kill]),

    row(S::Ready,      Event::Stop,              S::Stopping,   &[Terminate]),
    row(S::Ready,      Event::Restart,           S::Restarting, &[Terminate]),
    row(S::Ready,      Event::Exited,            S::BackOff,    &[]),
    row(S::Ready,      Event::Crashed,           S::BackOff,    &[]),
    row(S::Ready,      Event::CrashedTooOften,   S::Failed,     &[CloseSockets]),
    row(S::Ready,      Event::Refused,           S::Failed,     &[CloseSockets]),
    row(S::Ready,      Event::WatchdogMissed,    S::Crashing,   &[Kill]),

    row(S::Stopping,   Event::Start,             S::Restarting, &[]),
    row(S::Stopping,   Event::Restart,           S::Restarting, &[]),
    row(S::Stopping,   Event::Exited,            S::Stopped,    &[CloseSockets]),
    row(S::Stopping,   Event::Crashed,           S::Stopped,    &[CloseSockets]),
    row(S::Stopping,   Event::CrashedTooOften,   S::Stopped,    &[CloseSockets]),
    row(S::Stopping,   Event::Refused,           S::Stopped,    &[CloseSockets]),
    row(S::Stopping,   Event::StopTimeOut,       S::Stopping,   &[Kill]),

    row(S::Restarting, Event::Stop,              S::Stopping,   &[]),
    row(S::Restarting, Event::Exited,            S::Waiting,    &[]),
    row(S::Restarting, Event::Crashed,           S::Waiting,    &[]),
    row(S::Restarting, Event::CrashedTooOften,   S::Waiting,    &[]),
    row(S::Restarting, Event::Refused,           S::Waiting,    &[]),
    row(S::Restarting, Event::StopTimeOut,       S::Restarting, &[Kill]),

    row(S::Crashing,   Event::Stop,              S::Stopping,   &[]),
    row(S::Crashing,   Event::Restart,           S::Restarting, &[ForgetCrashes]),
    row(S::Crashing,   Event::Exited,            S::BackOff,    &[]),
    row(S::Crashing,   Event::Crashed,           S::BackOff,    &[]),
    row(S::Crashing,   Event::CrashedTooOften,   S::Failed,     &[CloseSockets]),
    row(S::Crashing,   Event::Refused,           S::Failed,     &[CloseSockets]),

    row(S::BackOff,    Event::Start,             S::Waiting,    &[]),
    row(S::BackOff,    Event::Stop,              S::Stopped,    &[CloseSockets]),
    row(S::BackOff,    Event::Restart,           S::Waiting,    &[ForgetCrashes]),
    row(S::BackOff,    Event::BackOffOver,       S::Waiting,    &[]),

    row(S::Failed,     Event::Start,             S::Waiting,    &[ForgetCrashes]),
    row(S::Failed,     Event::Stop,              S::Stopped,    &[]),
    row(S::Failed,     Event::Restart,           S::Waiting,    &[ForgetCrashes]),
];

impl State {
    /// Every state, in the order of a service's life.
    pub const ALL: [State; 9] = [
        S::Stopped,
        S::Waiting,
        S::Starting,
        S::Ready,
        S::Stopping,
        S::Restarting,
        S::Crashing,
        S::BackOff,
        S::Failed,
    ];

    /// What `event` does here; `None` if nothing.
    pub fn on(self, event: Event) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.state == self && row.event == event)
    }

    /// Whether a process exists.
    pub const fn has_process(self) -> bool {
        matches!(self, S::Starting | S::Ready | S::Stopping | S::Restarting | S::Crashing)
    }

    /// Whether it stays so unless somebody or something acts.
    pub const fn is_settled(self) -> bool {
        matches!(self, S::Stopped | S::Ready | S::Failed)
    }

    /// What limits the time here.
    pub const fn timer(self) -> Option<Timer> {
        match self {
            S::Starting => Some(Timer::Start),
            S::Ready => Some(Timer::Watchdog),
            S::Stopping | S::Restarting => Some(Timer::Stop),
            S::BackOff => Some(Timer::BackOff),
            S::Stopped | S::Waiting | S::Crashing | S::Failed => None,
        }
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            S::Stopped => "stopped",
            S::Waiting => "waiting",
            S::Starting => "starting",
            S::Ready => "ready",
            S::Stopping => "stopping",
            S::Restarting => "restarting",
            S::Crashing => "crashing",
            S::BackOff => "back-off",
            S::Failed => "failed",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Timer {
    /// What its end means.
    pub const fn event(self) -> Event {
        match self {
            Timer::Start => Event::StartTimeOut,
            Timer::Stop => Event::StopTimeOut,
            Timer::Watchdog => Event::WatchdogMissed,
            Timer::BackOff => Event::BackOffOver,
        }
    }

    const fn setting(self) -> &'static str {
        match self {
            Timer::Start => "start-time",
            Timer::Stop => "stop-time",
            Timer::Watchdog => "watchdog",
            Timer::BackOff => "back-off",
        }
    }
}

impl Event {
    /// Every event.
    pub const ALL: [Event; 13] = [
        Event::Start,
        Event::Stop,
        Event::Restart,
        Event::DependenciesReady,
        Event::Ready,
        Event::Exited,
        Event::Crashed,
        Event::CrashedTooOften,
        Event::Refused,
        Event::WatchdogMissed,
        Event::StartTimeOut,
        Event::StopTimeOut,
        Event::BackOffOver,
    ];

    const fn words(self) -> &'static str {
        match self {
            Event::Start => "start asked",
            Event::Stop => "stop asked",
            Event::Restart => "restart asked",
            Event::DependenciesReady => "dependencies ready",
            Event::Ready => "READY=1",
            Event::Exited => "exited with 0",
            Event::Crashed => "crashed",
            Event::CrashedTooOften => "crashed, budget used up",
            Event::Refused => "exited with 78",
            Event::WatchdogMissed => "watchdog missed",
            Event::StartTimeOut => "start time over",
            Event::StopTimeOut => "stop time over",
            Event::BackOffOver => "back-off over",
        }
    }
}

impl Action {
    const fn words(self) -> &'static str {
        match self {
            Spawn => "start process",
            Terminate => "SIGTERM",
            Kill => "SIGKILL",
            CloseSockets => "close sockets",
            ForgetCrashes => "forget crashes",
        }
    }
}

/// The table as a page of the manual: a line per state and event.
pub fn markdown() -> String {
    let mut out = String::from(
        "| state | time limit | event | next state | actions |\n|---|---|---|---|---|\n",
    );
    for row in TABLE {
        let limit = row.state.timer().map_or("none", Timer::setting);
        let actions: Vec<_> = row.actions.iter().map(|a| a.words()).collect();
        let _ = writeln!(
            out,
            "| {} | {limit} | {} | {} | {} |",
            row.state,
            row.event.words(),
            row.next,
            actions.join(", ")
        );
    }
    out.push_str("\nAn event that is not listed for a state changes nothing.\n");
    out
}

#[cfg(test)]
mod tests;
