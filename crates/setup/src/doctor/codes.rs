//! The table of findings: stable codes, what they mean, and what they answer.
//!
//! A code is never given another meaning. Each has a page in the manual,
//! `docs/src/findings/CODE.md`, which `concord doctor explain CODE` prints.

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Note,
    /// It works, but something should be mended.
    Warning,
    /// Something does not work, or will not after the next start.
    Error,
}

impl Severity {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A row of the table.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Code {
    /// `CC-0101`
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it matters, one sentence.
    pub why: &'static str,
    /// Articles about the same fault in the ancestors.
    pub articles: &'static [&'static str],
    /// Its page of the manual.
    #[serde(skip)]
    pub page: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:literal $severity:ident $title:literal $why:literal [$($q:literal),*])*) => {
        $(
            #[doc = $title]
            pub static $name: Code = Code {
                code: $code,
                severity: Severity::$severity,
                title: $title,
                why: $why,
                articles: &[$($q),*],
                page: include_str!(concat!("../../../../docs/src/findings/", $code, ".md")),
            };
        )*
        /// Every code, in order.
        pub static CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    ORPHAN_SERVICE "CC-0101" Error "orphan service record"
        "A service that no installed component owns is started anyway, or fails at every start."
        ["Q242762", "Q196305", "Q182814"]
    MISSING_SERVICE "CC-0102" Error "service record missing"
        "An installed component does not run."
        ["Q188632"]
    CONNECTOR_WITHOUT_SERVICE "CC-0103" Error "connector in the directory without a service"
        "Mail is routed to a connector that this machine does not run, and waits."
        ["Q188632", "Q185061", "Q250330"]
    SERVICE_WITHOUT_CONNECTOR "CC-0104" Error "connector installed without its directory object"
        "The connector runs, but nothing is routed to it."
        ["Q188632"]
    CHANGED_SERVICE "CC-0105" Warning "service record changed by hand"
        "What runs is not what Setup installed; the next update would bring the declared state back."
        ["Q263548", "Q183266"]
    SERVICE_DOWN "CC-0106" Error "enabled service does not run"
        "What it does is not done until it runs again."
        ["Q190442", "Q168739"]
    UNIT "CC-0107" Error "systemd unit missing, changed or not enabled"
        "The server does not start with the machine, or not as it was installed."
        ["Q190442"]
    ORPHAN_UNIT "CC-0108" Warning "systemd unit of a server that is not there"
        "systemd tries to start what does not exist."
        ["Q242762", "Q199989"]
    ORPHAN_PATH "CC-0201" Warning "path that no component owns"
        "Nobody knows what it is for; it is not backed up and would stay behind a removal."
        ["Q242762", "Q242599"]
    MISSING_PATH "CC-0202" Error "path missing"
        "A component cannot do its work without it."
        ["Q198857", "Q183896"]
    ACCESS "CC-0203" Warning "wrong owner or mode"
        "A service cannot read or write it, or somebody else can."
        ["Q170810", "Q249280"]
    CHANGED_PROGRAM "CC-0204" Error "program file changed"
        "What runs is not what was signed."
        ["Q246337", "Q178930"]
    MISSING_PROGRAM "CC-0205" Error "program file missing"
        "The service cannot start again."
        ["Q246086", "Q217215"]
    STALE_SOCKET "CC-0206" Note "stale socket or lock"
        "A process ended without tidying up; the next start replaces it."
        ["Q196332"]
    WRONG_LINK "CC-0207" Warning "link missing or pointing elsewhere"
        "The command on the path is not the program that is installed."
        ["Q183713"]
    LEFTOVER "CC-0208" Warning "leftover release, package or draft"
        "It takes room, and nobody will ever use it."
        ["Q190236", "Q196183"]
    VERSION_SKEW "CC-0301" Error "version skew"
        "Parts of different versions were never tested together."
        ["Q242250", "Q263702", "Q216340"]
    GHOST "CC-0302" Warning "ghost: registered, but its files are gone"
        "It cannot run; an update would find nothing to update."
        ["Q196171", "Q182814", "Q290226"]
    SCHEMA "CC-0303" Error "schema of the index is not the program's"
        "The core refuses to open the store."
        ["Q246207", "Q247773"]
    CONTRACT "CC-0304" Error "connector needs another contract version"
        "The connector would be started and not understood."
        ["Q216340"]
    RUNNING_OTHER "CC-0305" Warning "running program is not the installed release"
        "It takes effect only with the next start."
        ["Q278518"]
    UNFINISHED "CC-0401" Warning "unfinished run of Setup"
        "The machine is between two states until it is finished or undone."
        ["Q246207", "Q298933"]
    REGISTRY_DAMAGED "CC-0402" Error "registry damaged"
        "Setup does not know what is installed."
        ["Q178975", "Q175284"]
    REGISTRY_MISSING "CC-0403" Error "registry missing"
        "There is a server here that Setup does not know."
        ["Q149205", "Q178975"]
    QUARANTINE "CC-0405" Note "quarantine holds things"
        "They take room; look at them and remove them when nobody misses them."
        ["Q262865"]
    IDENTITY "CC-0501" Error "identity mismatch"
        "Parts of the server believe that they belong to different organisations or hosts."
        ["Q255073", "Q282939", "Q299676", "Q314148", "Q295696", "Q155027"]
    LINEAGE "CC-0502" Error "store of another lineage"
        "The data directory holds the store of another installation."
        ["Q194818", "Q248124", "Q264437", "Q163713"]
    DANGLING_GENERATOR "CC-0503" Warning "address generator of no installed component"
        "New mailboxes get addresses that nothing delivers to."
        ["Q205862", "Q175953", "Q176033"]
    MISSING_GENERATOR "CC-0504" Warning "address generator missing"
        "New mailboxes get no address of this type, and cannot be reached from there."
        ["Q202258", "Q199425", "Q243152"]
    WITHOUT_ADDRESS "CC-0505" Warning "mailboxes lack an address of a registered type"
        "They cannot be reached from that system."
        ["Q185106", "Q198677"]
    ORPHAN_SERVER "CC-0506" Warning "server object of another machine"
        "The directory knows a server that is not this one."
        ["Q189286", "Q243398"]
    INTEGRITY "CC-0601" Error "store cannot be read"
        "Mail cannot be delivered or read."
        ["Q177761", "Q234365"]
    RESTORED "CC-0602" Error "index does not belong to the message log"
        "They were copied from different servers or times."
        ["Q149238", "Q161481", "Q200941"]
    SPACE "CC-0603" Warning "low space"
        "Below the reserve nothing is taken in."
        ["Q259751", "Q163913", "Q189587"]
    NO_BACKUP "CC-0605" Note "no recent backup"
        "What is lost now is lost for good."
        ["Q183380", "Q195515", "Q178907"]
    CERTIFICATE_EXPIRED "CC-0701" Error "certificate expired or about to"
        "Mail programs and other servers refuse it."
        ["Q190713"]
    CERTIFICATE_UNUSABLE "CC-0702" Error "certificate or key missing or not fitting"
        "TLS cannot be offered."
        ["Q196129"]
    CERTIFICATE_NAME "CC-0703" Warning "certificate does not name the host"
        "Programs that check names refuse it."
        ["Q198564"]
    CERTIFICATE_NOT_RENEWED "CC-0704" Warning "certificate is not renewed"
        "It runs out, and then mail programs and other servers refuse it."
        ["Q190713"]
    CLOCK "CC-0801" Error "clock is wrong"
        "Certificates, retries and dates of messages are judged wrongly."
        ["Q154595"]
    PORT_TAKEN "CC-0802" Error "port held by another process"
        "The listener cannot be opened."
        ["Q146157"]
    NAME_UNRESOLVED "CC-0803" Warning "own name does not resolve"
        "Other hosts may refuse mail of a server whose name they cannot find."
        ["Q164845", "Q251814"]
    FILE_SYSTEM "CC-0804" Error "file system is not fit"
        "What is acknowledged could not be made durable."
        ["Q271847", "Q262371"]
    USER_MISSING "CC-0807" Error "service user missing"
        "Services cannot start, and their files belong to nobody."
        ["Q163686", "Q184737"]
    SETTINGS "CC-0901" Error "settings file has mistakes"
        "The server does not start with it."
        ["Q188625"]
    CONNECTOR_SETTINGS "CC-0902" Error "connector settings do not fit its schema"
        "The connector refuses to start."
        ["Q195697"]
    TRUST "CC-0903" Note "no trust root for updates"
        "Updates cannot be checked, so none is taken."
        ["Q257946"]
    MAIL_POLICY "CC-0904" Error "policy of Internet mail has mistakes"
        "The services go on with the policy of before, and do not start again."
        ["Q188250", "Q258140"]
    SIGNING_KEY "CC-0905" Error "key that mail is signed with cannot be used"
        "Mail of its domain leaves without a signature, and may be taken for a forgery."
        ["Q249280"]
}

/// The row of a code, in any case.
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|row| row.code.eq_ignore_ascii_case(code)).copied()
}
