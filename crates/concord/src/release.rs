//! What this program is: version, platform, and the forms of what it writes.

use concord_base::Timestamp;
use concord_registry::{Registry, Schemas};
use concord_setup::package::CONTRACT;
use concord_setup::verb::ReleaseFacts;

/// The version; a bundle that is built with another one says so at build time.
pub const VERSION: &str = match option_env!("CONCORD_RELEASE") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};
/// Raised with each release: a clock that shows less than 2026-11-01 is wrong.
const BUILT: Timestamp = Timestamp::from_seconds(1_793_491_200);

/// The platform, `x86_64-linux`.
pub fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// What Setup needs to know of this program.
pub fn facts() -> ReleaseFacts {
    ReleaseFacts {
        version: VERSION.to_owned(),
        platform: platform(),
        schemas: Schemas {
            index: concord_engine::offline::newest_schema(),
            registry: Registry::SCHEMA,
            contract: CONTRACT,
        },
        built: BUILT,
    }
}
