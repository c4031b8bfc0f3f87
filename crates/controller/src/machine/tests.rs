use super::*;

const EXITS: [Event; 4] = [Event::Exited, Event::Crashed, Event::CrashedTooOften, Event::Refused];

#[test]
fn no_pair_stands_twice() {
    for (index, a) in TABLE.iter().enumerate() {
        for b in &TABLE[index + 1..] {
            assert!(a.state != b.state || a.event != b.event, "{a:?}");
        }
    }
}

/// A process is there exactly in the states that say so: started where
/// there was none, gone only by its own end.
#[test]
fn a_process_is_where_the_state_says() {
    for state in State::ALL {
        for event in Event::ALL {
            let Some(row) = state.on(event) else { continue };
            let spawns = row.actions.contains(&Spawn);
            let ends = EXITS.contains(&event);
            assert!(!(spawns && state.has_process()), "two processes: {row:?}");
            assert!(!ends || state.has_process(), "an end without a process: {row:?}");
            let after = spawns || (state.has_process() && !ends);
            assert_eq!(after, row.next.has_process(), "{row:?}");
            for signal in [Terminate, Kill] {
                assert!(!row.actions.contains(&signal) || state.has_process(), "{row:?}");
            }
        }
    }
}

#[test]
fn every_end_of_a_process_is_handled_in_every_state_that_has_one() {
    for state in State::ALL.into_iter().filter(|s| s.has_process()) {
        for event in EXITS {
            assert!(state.on(event).is_some(), "{state} {event:?}");
        }
    }
}

#[test]
fn every_timer_is_handled_and_no_other_time_out_is() {
    let ends: Vec<Event> =
        [Timer::Start, Timer::Stop, Timer::Watchdog, Timer::BackOff].map(Timer::event).to_vec();
    for state in State::ALL {
        for event in &ends {
            let armed = state.timer().map(Timer::event) == Some(*event);
            assert_eq!(state.on(*event).is_some(), armed, "{state} {event:?}");
        }
    }
}

/// From anywhere: asked to stop, time-outs and the end of the process
/// lead to rest, and never start a process.
#[test]
fn stop_always_ends_at_rest() {
    for state in State::ALL {
        let mut now = state.on(Event::Stop).map_or(state, |row| row.next);
        for event in [Event::StopTimeOut, Event::Crashed] {
            if let Some(row) = now.on(event) {
                assert!(!row.actions.contains(&Spawn));
                now = row.next;
            }
        }
        assert_eq!(now, State::Stopped, "from {state}");
    }
}

/// From anywhere: asked to start or restart, whatever process there was
/// ends, dependencies are ready, and a process starts or runs.
#[test]
fn start_and_restart_always_lead_to_a_process() {
    for state in State::ALL {
        for asked in [Event::Start, Event::Restart] {
            let mut now = state.on(asked).map_or(state, |row| row.next);
            for event in [Event::Crashed, Event::BackOffOver, Event::DependenciesReady] {
                now = now.on(event).map_or(now, |row| row.next);
            }
            assert_eq!(now, State::Starting, "from {state} on {asked:?}");
        }
    }
}

#[test]
fn sockets_stay_open_whenever_a_process_will_follow() {
    for row in TABLE {
        let closes = row.actions.contains(&CloseSockets);
        let rests = matches!(row.next, State::Stopped | State::Failed);
        assert_eq!(closes, rests && row.state != State::Failed, "{row:?}");
    }
}

#[test]
fn every_state_is_reached() {
    for state in State::ALL {
        assert!(TABLE.iter().any(|row| row.next == state), "{state}");
    }
}

#[test]
fn the_page_has_every_row() {
    assert_eq!(markdown().lines().filter(|l| l.starts_with("| ")).count(), TABLE.len() + 1);
}
