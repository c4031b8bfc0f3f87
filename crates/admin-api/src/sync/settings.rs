//! A connector's settings, compiled: rules and filters against the tables of its
//! kind, and the policies of both directions.
//!
//! Everything that is wrong is told at once, and while something is, runs are
//! refused: what was synchronised before stays as it is (Q195510).

use super::error::SyncError;
use super::kinds::{ForeignKind, attributes};
use crate::wire::SyncOptions;
use concord_base::ObjectId;
use concord_directory::{Connector, Kind, NEVER_EXPORTED, Object, Tree, USUAL_TRUST};
use concord_dirsync::{
    Adoption, Approval, ExportContainer, ExportPolicy, Guard, ImportPolicy, RecipientKind, Relay,
    Resources,
};
use concord_mapping::shipped::IMPORT_NEEDS;
use concord_mapping::{
    Attribute, FilterSet, Parameters, Problems, RuleSet, RuleTable, SchemaTable, Table,
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The highest trust that is exported, as the manifests say.
const EXPORT_TRUST: u64 = 50;

/// Rules of one direction with what goes with them.
#[derive(Debug)]
pub(super) struct Mapping {
    pub rules: RuleSet,
    pub filters: FilterSet,
}

/// Everything that a run depends on beside the two directories.
#[derive(Debug)]
pub(super) struct Compiled {
    pub import: Mapping,
    pub import_policy: ImportPolicy,
    /// Where new contacts are put.
    pub container: Option<ObjectId>,
    pub export: Mapping,
    pub export_policy: ExportPolicy,
    pub parameters: Parameters,
    /// Which directions are on.
    pub imports: bool,
    pub exports: bool,
    /// Whether what this connector brings goes on to systems of the same kind,
    /// and so needs an address there.
    pub relayed: bool,
    /// Changes with anything that decides what is exported.
    pub fingerprint: u32,
}

/// Reads settings, and collects what is wrong with them.
pub(super) struct Reader<'a> {
    settings: &'a Map<String, Value>,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    /// A text; none if it is absent or empty.
    pub fn text(&mut self, key: &str) -> Option<String> {
        match self.settings.get(key)? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            other => {
                self.mistakes.push(format!("{key}: it is {other}; write a text"));
                None
            }
        }
    }

    fn number(&mut self, key: &str, default: u64, most: u64) -> u64 {
        let Some(value) = self.settings.get(key) else { return default };
        match value.as_u64().filter(|number| *number <= most) {
            Some(number) => number,
            None => {
                self.mistakes.push(format!("{key}: it is {value}; write a number up to {most}"));
                default
            }
        }
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.settings.get(key) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                self.mistakes.push(format!("{key}: it is {other}; write true or false"));
                false
            }
        }
    }

    fn problems(&mut self, key: &str, problems: &Problems) {
        let list = problems.list().iter();
        self.mistakes.extend(list.map(|problem| format!("{key}: {problem}")));
    }

    /// Names parted by commas.
    fn names(&mut self, key: &str) -> Vec<String> {
        let text = self.text(key).unwrap_or_default();
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }

    fn container(&mut self, key: &str, name: &str, known: &[Arc<Object>]) -> Option<ObjectId> {
        let found = known.iter().find(|container| container.name.eq_ignore_ascii_case(name));
        if found.is_none() {
            self.mistakes.push(format!(
                "{key}: there is no container '{name}'; 'concord container list' shows them"
            ));
        }
        found.map(|container| container.id)
    }

    fn mapping(
        &mut self,
        keys: [&str; 2],
        shipped: &RuleTable,
        schemas: [&SchemaTable; 2],
        needs: concord_mapping::Needs<'_>,
    ) -> Option<Mapping> {
        let [rules_key, filter_key] = keys;
        let [source, target] = schemas;
        let local = self.text(rules_key).unwrap_or_default();
        let rules = RuleTable::parse(&local)
            .and_then(|local| RuleSet::activate(&local.over(shipped), source, target, needs));
        let known: Vec<Attribute> = source.lines().map(|line| line.attribute.clone()).collect();
        let filters = FilterSet::parse(&lines(&self.text(filter_key).unwrap_or_default()), &known);
        if let Err(problems) = &rules {
            self.problems(rules_key, problems);
        }
        if let Err(problems) = &filters {
            self.problems(filter_key, problems);
        }
        Some(Mapping { rules: rules.ok()?, filters: filters.ok()? })
    }
}

/// Filters stand in one line, parted by ';' outside of quotes; no filter begins
/// with one.
fn lines(text: &str) -> String {
    let mut quote: Option<char> = None;
    text.chars()
        .map(|c| {
            match quote {
                Some(open) if c == open => quote = None,
                None if c == '"' || c == '\'' => quote = Some(c),
                _ => {}
            }
            if c == ';' && quote.is_none() { '\n' } else { c }
        })
        .collect()
}

/// What surrounds a connector in the directory.
pub(super) struct Around {
    pub tree: Tree,
    pub containers: Vec<Arc<Object>>,
    pub connectors: Vec<Arc<Object>>,
}

impl Around {
    pub async fn read(directory: &dyn concord_directory::Directory) -> Result<Self, SyncError> {
        Ok(Self {
            tree: Tree::read(directory).await?,
            containers: directory.list(Kind::Container).await?,
            connectors: directory.list(Kind::Connector).await?,
        })
    }
}

/// Compiles the settings of a connector.
///
/// # Errors
/// Every mistake in them.
pub(super) fn compile(
    name: &str,
    connector: &Connector,
    around: &Around,
    options: &SyncOptions,
) -> Result<Compiled, SyncError> {
    let kind = ForeignKind::of(&connector.component).ok_or_else(|| SyncError::NoTables {
        connector: name.to_owned(),
        component: connector.component.clone(),
    })?;
    let mut reader = Reader { settings: &connector.settings, mistakes: Vec::new() };
    let compiled = compile_all(name, &kind, &mut reader, around, options);
    match compiled {
        Some(compiled) if reader.mistakes.is_empty() => Ok(compiled),
        _ => Err(SyncError::Settings { connector: name.to_owned(), mistakes: reader.mistakes }),
    }
}

fn compile_all(
    name: &str,
    kind: &ForeignKind,
    reader: &mut Reader<'_>,
    around: &Around,
    options: &SyncOptions,
) -> Option<Compiled> {
    let tables = match kind.shipped.tables() {
        Ok(tables) => tables,
        Err(problems) => {
            reader.problems("shipped tables", &problems);
            return None;
        }
    };
    let import = reader.mapping(
        ["import-rules", "import-filter"],
        &tables.import,
        [&tables.theirs, &tables.ours],
        IMPORT_NEEDS,
    );
    let export = reader.mapping(
        ["export-rules", "export-filter"],
        &tables.export,
        [&tables.ours, &tables.theirs],
        kind.export_needs(),
    );
    let share =
        reader.number("delete-guard-percent", u64::from(concord_dirsync::DEFAULT_SHARE), 100);
    let guard = Guard {
        share: u8::try_from(share).unwrap_or(concord_dirsync::DEFAULT_SHARE),
        approval: if options.approve { Approval::Given } else { Approval::None },
        ..Guard::default()
    };
    let (own_exports, places) = kind.places(reader);
    let import_policy = ImportPolicy {
        connector: name.to_owned(),
        guard,
        required: attributes(kind.import_required),
        resources: Resources::Always,
        adoption: if options.adopt { Adoption::SameTarget } else { Adoption::Never },
        own_exports,
    };
    let export_policy = ExportPolicy {
        connector: name.to_owned(),
        guard,
        containers: containers(reader, around),
        kinds: kinds(reader),
        relay: relay(name, reader, around),
        required: attributes(kind.export_required),
        identity: attributes(kind.identity),
        places,
        ownership: kind.ownership(),
    };
    let container = reader.text("import-container");
    let container =
        container.and_then(|name| reader.container("import-container", &name, &around.containers));
    let (imports, exports) = directions(reader);
    reader.number("synchronise-minutes", 0, MAX_MINUTES);
    let fingerprint = fingerprint(&export_policy, reader.settings);
    Some(Compiled {
        import: import?,
        import_policy,
        container,
        export: export?,
        export_policy,
        parameters: parameters(name, reader.settings),
        imports,
        exports,
        relayed: relayed(name, around),
        fingerprint,
    })
}

/// A year; more is a slip.
pub(super) const MAX_MINUTES: u64 = 366 * 24 * 60;

impl ForeignKind {
    fn export_needs(&self) -> concord_mapping::Needs<'static> {
        self.shipped.export_needs
    }
}

fn directions(reader: &mut Reader<'_>) -> (bool, bool) {
    match reader.text("synchronise").as_deref() {
        None | Some("both") => (true, true),
        Some("import") => (true, false),
        Some("export") => (false, true),
        Some(other) => {
            let mistake = format!("synchronise: it is '{other}'; write both, import or export");
            reader.mistakes.push(mistake);
            (false, false)
        }
    }
}

/// The export containers and those below them; none named is all there are.
fn containers(reader: &mut Reader<'_>, around: &Around) -> Vec<ExportContainer> {
    let most = u64::from(NEVER_EXPORTED) - 1;
    let trust = reader.number("export-trust", EXPORT_TRUST, most);
    let trust = u8::try_from(trust).unwrap_or(USUAL_TRUST);
    let named = reader.names("export-containers");
    let all = around.containers.iter().map(|container| container.id);
    if named.is_empty() {
        let places = std::iter::once(None).chain(all.map(Some));
        return places.map(|id| ExportContainer { id, trust }).collect();
    }
    let roots: Vec<ObjectId> = named
        .iter()
        .filter_map(|name| reader.container("export-containers", name, &around.containers))
        .collect();
    let within = |id: &ObjectId| roots.iter().any(|root| around.tree.is_within(Some(*id), *root));
    all.filter(within).map(|id| ExportContainer { id: Some(id), trust }).collect()
}

fn kinds(reader: &mut Reader<'_>) -> BTreeSet<RecipientKind> {
    let mut kinds = BTreeSet::from([
        RecipientKind::Mailbox,
        RecipientKind::List,
        RecipientKind::Resource,
        RecipientKind::PublicFolder,
    ]);
    if reader.flag("export-contacts") {
        kinds.insert(RecipientKind::Contact);
    }
    kinds
}

/// Which other connectors' recipients are exported.
fn relay(name: &str, reader: &mut Reader<'_>, around: &Around) -> Relay {
    let named = reader.names("export-relay");
    if named.is_empty() {
        return Relay::Nobody;
    }
    if named.iter().any(|other| other == "*") {
        return Relay::Everybody;
    }
    for other in &named {
        if other == name || !around.connectors.iter().any(|known| known.name == *other) {
            reader.mistakes.push(format!(
                "export-relay: there is no other connector '{other}'; 'concord connector list' \
                 shows them"
            ));
        }
    }
    Relay::Only(named.into_iter().collect())
}

/// Whether another connector of the same kind exports what this one brings.
fn relayed(name: &str, around: &Around) -> bool {
    let component = |object: &Arc<Object>| object.connector().map(|c| c.component.clone());
    let own = around.connectors.iter().find(|other| other.name == name).and_then(component);
    around.connectors.iter().filter(|other| other.name != name && component(other) == own).any(
        |other| {
            let relay = other.connector().and_then(|c| c.settings.get("export-relay"));
            let relay = relay.and_then(Value::as_str).unwrap_or_default();
            relay.split(',').map(str::trim).any(|word| word == "*" || word == name)
        },
    )
}

/// What rules can ask for by `CFGPARM`: the connector's own settings.
fn parameters(name: &str, settings: &Map<String, Value>) -> Parameters {
    let mut parameters = Parameters::new(name);
    for (key, value) in settings {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        parameters.set(None, key, &text);
    }
    parameters
}

/// A change of these means that what was exported before has to be looked at as a
/// whole (Q300458: trust).
fn fingerprint(policy: &ExportPolicy, settings: &Map<String, Value>) -> u32 {
    let parts = [
        format!("{:?}{:?}", policy.containers, policy.kinds),
        serde_json::to_string(settings).unwrap_or_default(),
        concord_mapping::shipped::GROUPWISE.export.to_owned(),
        concord_mapping::shipped::NOTES.export.to_owned(),
    ];
    crc32c::crc32c(parts.join("\n").as_bytes())
}

/// Minutes between runs, as a connector's settings say; none is never.
pub(super) fn minutes(connector: &Connector) -> Option<u64> {
    ForeignKind::of(&connector.component)?;
    let minutes = connector.settings.get("synchronise-minutes")?.as_u64()?;
    (1..=MAX_MINUTES).contains(&minutes).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_parted_outside_of_quotes() {
        assert_eq!(lines("a;b \"c;d\" 'e;'; f"), "a\nb \"c;d\" 'e;'\n f");
    }
}
