//! Killing the connector at random.

use super::{ENDURE, Pair, settings};
use concord_testkit::{GroupWiseStorm, Result, Site};
use std::time::Duration;

/// T98: Q223057, Q107091, Q275272. A larger one is `cargo xtask storm groupwise`.
#[test]
fn a_connector_killed_at_random_loses_nothing_and_explains_what_comes_twice() -> Result<()> {
    let mut site = Site::new()?;
    site.settings = ENDURE.into();
    site.install()?;
    let pair = Pair::with(site, settings())?;
    let storm = GroupWiseStorm {
        messages: 300,
        kills: 12,
        pause: 300,
        seed: 4,
        limit: Duration::from_secs(120),
    };
    let figures = storm.run(&pair.site, &pair.gw)?;
    println!("{figures:?}");
    assert!(figures.kills > 0, "{figures:?}");
    assert_eq!(figures.duplicates_out, figures.explained_out, "{figures:?}");
    let explained = figures.announced_in + figures.duplicates_out;
    assert!(figures.duplicates_in <= explained, "{figures:?}");
    assert!(pair.gw.problems().is_empty(), "{:?}", pair.gw.problems());
    Ok(())
}
