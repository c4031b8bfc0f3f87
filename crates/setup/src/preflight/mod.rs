//! Whether a machine is fit for a new server: everything that can be known
//! before the first write. A refusal has the code under which the doctor would
//! find the same fault later.

mod checks;

use crate::doctor::Code;
use crate::error::{Result, SetupError};
use crate::host::Host;
use crate::survey::Survey;
use crate::verb::ReleaseFacts;
use crate::verb::install::InstallOptions;
use concord_settings::Settings;
use serde::Serialize;

/// Something that speaks against it, or that the administrator should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Objection {
    /// The finding's code; none where only Setup could meet it.
    pub code: Option<&'static str>,
    /// Whether nothing is done because of it.
    pub refuses: bool,
    /// What was looked at.
    pub place: String,
    /// What was seen.
    pub seen: String,
    /// What to do.
    pub mend: String,
}

impl std::fmt::Display for Objection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(code) = self.code {
            write!(f, "{code} ")?;
        }
        write!(f, "{}: {}; {}", self.place, self.seen, self.mend)
    }
}

/// What the checks work with.
struct Case<'a> {
    host: &'a Host,
    survey: &'a Survey,
    release: &'a ReleaseFacts,
    options: &'a InstallOptions,
    settings: &'a Settings,
    found: Vec<Objection>,
}

impl Case<'_> {
    fn refuse(
        &mut self,
        code: Option<&'static Code>,
        place: impl Into<String>,
        seen: impl Into<String>,
        mend: &str,
    ) {
        let (place, seen) = (place.into(), seen.into());
        let code = code.map(|c| c.code);
        self.found.push(Objection { code, refuses: true, place, seen, mend: mend.to_owned() });
    }

    fn note(
        &mut self,
        code: &'static Code,
        place: impl Into<String>,
        seen: impl Into<String>,
        mend: &str,
    ) {
        let (place, seen) = (place.into(), seen.into());
        let code = Some(code.code);
        self.found.push(Objection { code, refuses: false, place, seen, mend: mend.to_owned() });
    }
}

/// Everything that speaks against installing here. Leaves nothing behind.
pub fn install(
    host: &Host,
    survey: &Survey,
    release: &ReleaseFacts,
    options: &InstallOptions,
    settings: &Settings,
) -> Vec<Objection> {
    let mut case = Case { host, survey, release, options, settings, found: Vec::new() };
    checks::root(&mut case);
    checks::names(&mut case);
    checks::rights(&mut case);
    checks::outside(&mut case);
    checks::ports(&mut case);
    checks::machine(&mut case);
    checks::leftovers(&mut case);
    case.found
}

/// The refusals as an error, if there are any.
pub fn insist(verb: &str, objections: &[Objection]) -> Result<()> {
    let refusals: Vec<String> =
        objections.iter().filter(|o| o.refuses).map(ToString::to_string).collect();
    if refusals.is_empty() {
        return Ok(());
    }
    Err(SetupError::Refused { verb: verb.to_owned(), refusals })
}
