//! Where a run can be stopped, for tests of cut points.

use crate::error::{Result, SetupError};
use std::sync::atomic::{AtomicU64, Ordering};

/// Asked before and after each effect. Once it has said no, the process is
/// dead: it says no to everything that follows.
pub trait TripWire: Send + Sync {
    /// Whether the run still lives in front of an effect.
    fn before(&self, act: &str, on: &str) -> Result<()>;
    /// Whether it still lives behind it.
    fn after(&self, act: &str, on: &str) -> Result<()>;
}

/// Nothing stops a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Never;

impl TripWire for Never {
    fn before(&self, _act: &str, _on: &str) -> Result<()> {
        Ok(())
    }
    fn after(&self, _act: &str, _on: &str) -> Result<()> {
        Ok(())
    }
}

/// Stops a run at a given point.
#[derive(Debug)]
pub struct Countdown {
    at: u64,
    passed: AtomicU64,
}

impl Countdown {
    /// Stops at the point of this number, counted from 1; 0 is never.
    pub fn new(at: u64) -> Self {
        Self { at, passed: AtomicU64::new(0) }
    }

    /// How many points a run has passed.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }

    fn pass(&self, place: std::fmt::Arguments<'_>) -> Result<()> {
        let number = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if self.at != 0 && number >= self.at {
            return Err(SetupError::Killed(place.to_string()));
        }
        Ok(())
    }
}

impl TripWire for Countdown {
    fn before(&self, act: &str, on: &str) -> Result<()> {
        self.pass(format_args!("before: {act} {on}"))
    }
    fn after(&self, act: &str, on: &str) -> Result<()> {
        self.pass(format_args!("after: {act} {on}"))
    }
}
