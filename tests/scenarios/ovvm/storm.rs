//! Cutting the link and killing the connectors at random.

use super::NOTHING;
use concord_testkit::{OvvmStorm, Result, VmPair};
use std::time::Duration;

/// T98 (Q223057, Q107091, Q275272), T82 (Q220833). A larger one is `cargo xtask
/// storm ovvm`.
#[test]
fn connectors_killed_and_links_cut_at_random_lose_nothing_and_double_nothing() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    let storm = OvvmStorm {
        messages: 120,
        kills: 8,
        cuts: 8,
        pause: 600,
        seed: 6,
        limit: Duration::from_secs(120),
    };
    let figures = storm.run(&pair)?;
    println!("{figures:?}");
    assert!(figures.kills > 0 && figures.cuts > 0, "{figures:?}");
    assert_eq!((figures.lost, figures.duplicates), (0, 0), "{figures:?}");
    Ok(())
}
