//! Every verb is cut off before and after each of its effects; the next run
//! must find one of two states: the old one or the new one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod machine;
mod mending;
mod recover;
mod releases;
mod scenes;
mod state;

use concord_setup::host::Countdown;
use concord_setup::{SetupError, settle};
use machine::{Machine, VERSION};
use scenes::{SCENES, Scene};
use state::State;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// What one scene came to.
struct Outcome {
    cuts: u64,
    old: u64,
    new: u64,
}

/// Runs a scene once without a cut: the states before and behind it, and how
/// many points it passes.
fn whole(scene: &Scene) -> (State, State, u64) {
    let machine = Machine::new();
    (scene.prepare)(&machine);
    let old = State::of(&machine);
    let trip = Arc::new(Countdown::new(0));
    let done = (scene.run)(&machine.host_with(trip.clone()));
    let passed = trip.passed();
    if let Err(error) = done {
        panic!("{}: {error}", scene.name);
    }
    (old, State::of(&machine), passed)
}

/// Cuts a scene off at every point, then lets the next verb find it.
fn every_cut(scene: &Scene) -> Outcome {
    let (old, new, passed) = whole(scene);
    assert_ne!(old, new, "{} does nothing", scene.name);
    let mut outcome = Outcome { cuts: 0, old: 0, new: 0 };
    for at in 1..=passed {
        let machine = Machine::new();
        (scene.prepare)(&machine);
        let trip = Arc::new(Countdown::new(at));
        let cut = (scene.run)(&machine.host_with(trip));
        let place = match &cut {
            Err(error) if error.is_killed() => error.to_string(),
            Err(error) => panic!("{} cut at {at}: {error}", scene.name),
            // The cut was behind the last effect that matters.
            Ok(()) => "behind the end".to_owned(),
        };
        outcome.cuts += 1;
        // What follows is cut off too, now and then, and still must come to an end.
        if at % 3 == 0 {
            let trip = Arc::new(Countdown::new(1 + at % 17));
            let _ = settle(&machine.host_with(trip), VERSION, &mut |_| {});
        }
        if let Err(error) = settle(&machine.host(), VERSION, &mut |_| {}) {
            panic!("{} cut at {at} ({place}): settling: {error}", scene.name);
        }
        let found = State::of(&machine);
        if found == old {
            outcome.old += 1;
        } else if found == new {
            outcome.new += 1;
        } else {
            panic!(
                "{} cut at {at} ({place}) is neither old nor new:\nagainst old: {}\nagainst new: {}",
                scene.name,
                found.difference(&old),
                found.difference(&new)
            );
        }
        assert!(
            settle(&machine.host(), VERSION, &mut |_| {}).is_ok_and(|r| r.is_none()),
            "{} cut at {at}: a second run finds nothing to bring to an end",
            scene.name
        );
    }
    outcome
}

/// Every scene has a machine of its own, so as many run at once as there are cores.
fn outcomes(scenes: &[&'static Scene]) -> Vec<(&'static str, Outcome)> {
    let waiting: Mutex<VecDeque<_>> = Mutex::new(scenes.iter().copied().enumerate().collect());
    let done = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().pop_front();
                    let Some((place, scene)) = next else { return };
                    let outcome = every_cut(scene);
                    done.lock().unwrap().push((place, scene.name, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(place, ..)| *place);
    done.into_iter().map(|(_, name, outcome)| (name, outcome)).collect()
}

#[test]
fn every_cut_of_every_verb_ends_old_or_new() {
    let mut cuts = 0;
    // One of them alone, for whoever looks for a cause.
    let only = std::env::var("CONCORD_SCENE").unwrap_or_default();
    let scenes: Vec<_> = SCENES.iter().filter(|scene| scene.name.contains(&only)).collect();
    for (name, outcome) in outcomes(&scenes) {
        println!("{name}: {} cuts, {} old, {} new", outcome.cuts, outcome.old, outcome.new);
        assert!(outcome.old > 0 && outcome.new > 0, "{name} ends one way only");
        cuts += outcome.cuts;
    }
    println!("cut points: {cuts}");
}

#[test]
fn a_second_run_changes_nothing() {
    for scene in SCENES.iter().filter(|scene| scene.repeats) {
        let machine = Machine::new();
        (scene.prepare)(&machine);
        (scene.run)(&machine.host()).unwrap();
        let once = State::of(&machine);
        match (scene.run)(&machine.host()) {
            Ok(()) | Err(SetupError::AlreadyInstalled(_)) => {}
            Err(error) => panic!("{} twice: {error}", scene.name),
        }
        let twice = State::of(&machine);
        assert!(once == twice, "{} twice: {}", scene.name, twice.difference(&once));
    }
}

#[test]
fn a_step_that_fails_is_undone_with_all_before_it() {
    for scene in SCENES.iter().filter(|scene| scene.tells_controller) {
        let machine = Machine::new();
        (scene.prepare)(&machine);
        let old = State::of(&machine);
        machine.refuse("reload");
        let error = (scene.run)(&machine.host()).unwrap_err();
        // Undoing tells the controller too; it refuses until somebody mends it.
        assert!(matches!(error, SetupError::HalfUndone { .. }), "{}: {error}", scene.name);
        machine.refuse("");
        settle(&machine.host(), VERSION, &mut |_| {}).unwrap();
        let found = State::of(&machine);
        assert!(found == old, "{}: {}", scene.name, found.difference(&old));
    }
}

/// What was staged is worthless once a run is undone; that it is gone must not
/// keep a run from being undone.
#[test]
fn a_run_is_undone_without_what_it_staged() {
    let scene = SCENES.iter().find(|scene| scene.name == "connector install").unwrap();
    let (old, new, passed) = whole(scene);
    for at in (1..=passed).step_by(3) {
        let machine = Machine::new();
        (scene.prepare)(&machine);
        let _ = (scene.run)(&machine.host_with(Arc::new(Countdown::new(at))));
        let _ = std::fs::remove_dir_all(machine.layout().staging());
        settle(&machine.host(), VERSION, &mut |_| {}).unwrap();
        let found = State::of(&machine);
        assert!(found == old || found == new, "cut at {at}: {}", found.difference(&old));
    }
}
