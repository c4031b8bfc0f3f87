//! The routing table: which connector carries an address.
//!
//! The choice: the closest address space; of equally close ones a connector
//! that can be reached before one that cannot, then the cheapest; of equally
//! cheap ones each in its turn (Q152471, Q193322, Q229961). A connector that
//! cannot be reached loses to equally close ones only: what is less close may be
//! another system.

use crate::Object;
use concord_address::{AddressSpace, Form, Specificity, TypedAddress};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The connector to the Internet, and its component.
pub const INTERNET_MAIL: &str = "internet-mail";

/// The address space of Internet mail where no directory object says otherwise:
/// the last choice.
const FALLBACK_SPACE: (&str, u8) = ("*", 100);

/// A connector as the routing table knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Way {
    component: String,
    enabled: bool,
    address_spaces: Vec<AddressSpace>,
}

/// Where an address goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The connector's name.
    pub connector: String,
    /// What deliveries are grouped by, because it is reached or not as a whole:
    /// the domain of an Internet address, the node of a PROFS address, else the
    /// type.
    pub group: String,
}

/// What a choice depends on beside the table.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// Names of the containers that the sender is in, for address spaces with a
    /// scope.
    pub scopes: Vec<String>,
    /// Connectors that cannot be reached at the moment.
    pub down: Arc<BTreeSet<String>>,
    /// Cost decides before whether a connector can be reached: mail waits for the
    /// cheapest ("Only use least cost routes", Q166567).
    pub least_cost_only: bool,
    /// Counts messages, so that equal ways take turns.
    pub turn: u64,
}

/// What became of an address space of a connector in a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was chosen.
    Chosen,
    /// Equal to the chosen one: its turn comes with other messages.
    OtherTurn,
    /// Its connector is disabled.
    Disabled,
    /// Its pattern is not one of its type's.
    Unusable(String),
    /// It is for senders in a container only.
    OutOfScope(String),
    /// The address is not in it.
    NoMatch,
    /// Another one fits more closely.
    LessClose,
    /// Its connector cannot be reached, another one's can.
    Unreachable,
    /// Another one costs less.
    Dearer,
}

/// An address space that could have been chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The connector.
    pub connector: String,
    /// The address space.
    pub space: AddressSpace,
    /// How closely it fits.
    pub fit: Option<Specificity>,
    /// What became of it.
    pub outcome: Outcome,
}

/// A choice, and what it was made among.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The choice; none if no connector carries the address.
    pub route: Option<Route>,
    /// Whether the chosen connector cannot be reached at the moment.
    pub waits: bool,
    /// All address spaces of the address's type, best first.
    pub candidates: Vec<Candidate>,
}

/// How good a candidate is; the greatest is chosen.
type Rank = (Specificity, bool, Reverse<u8>, bool);

/// The connectors and their address spaces at one moment.
///
/// If no connector's component is Internet mail, there is one all the same, as
/// the last choice for every Internet address: a directory from before there
/// were connector objects works on. Once there is one, it rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes(BTreeMap<String, Way>);

impl Routes {
    /// The table of these objects; those of other kinds are passed over.
    pub fn new(objects: &[Arc<Object>]) -> Self {
        let mut ways = BTreeMap::new();
        for object in objects {
            if let Some(connector) = object.connector() {
                let way = Way {
                    component: connector.component.clone(),
                    enabled: connector.enabled,
                    address_spaces: connector.address_spaces.clone(),
                };
                ways.insert(object.name.clone(), way);
            }
        }
        if !ways.values().any(|way| way.component == INTERNET_MAIL) {
            let (pattern, cost) = FALLBACK_SPACE;
            let smtp = concord_address::AddressType::smtp();
            let way = Way {
                component: INTERNET_MAIL.into(),
                enabled: true,
                address_spaces: AddressSpace::new(smtp, pattern, cost).into_iter().collect(),
            };
            ways.insert(INTERNET_MAIL.into(), way);
        }
        Self(ways)
    }

    /// Where an address goes if all connectors can be reached and its sender is
    /// in no container.
    pub fn route(&self, address: &TypedAddress) -> Option<Route> {
        self.choose(address, &Situation::default())
    }

    /// Where an address goes.
    pub fn choose(&self, address: &TypedAddress, situation: &Situation) -> Option<Route> {
        let best = self.ranked(address, situation).into_iter().max_by_key(|(rank, _, _)| *rank)?.0;
        let equal: Vec<&str> = self.equal(address, situation, best);
        let turn = usize::try_from(situation.turn % equal.len().max(1) as u64).unwrap_or(0);
        let connector = (*equal.get(turn)?).to_owned();
        let group = match (address.smtp(), address.form()) {
            (Some(smtp), _) => smtp.domain().to_string(),
            (None, Some(Form::Profs { node, .. })) => node.to_ascii_uppercase(),
            (None, _) => address.kind().to_string(),
        };
        Some(Route { connector, group })
    }

    /// The choice with everything that lost, and why.
    pub fn explain(&self, address: &TypedAddress, situation: &Situation) -> Decision {
        let route = self.choose(address, situation);
        let ranked = self.ranked(address, situation);
        let best = ranked.iter().map(|(rank, _, _)| *rank).max();
        let chosen = route.as_ref().map(|route| route.connector.as_str());
        let mut candidates: Vec<(Option<Rank>, Candidate)> = Vec::new();
        for (name, way) in &self.0 {
            for space in way.address_spaces.iter().filter(|s| s.kind() == address.kind()) {
                let rank = ranked
                    .iter()
                    .find(|(_, n, s)| *n == name && std::ptr::eq(*s, space))
                    .map(|(rank, _, _)| *rank);
                let outcome = match (rank, best) {
                    (Some(rank), Some(best)) => lost_to(rank, best, chosen == Some(name)),
                    _ => self.left_out(way, space, address, situation),
                };
                let candidate = Candidate {
                    connector: name.clone(),
                    space: space.clone(),
                    fit: space.matches(address),
                    outcome,
                };
                candidates.push((rank, candidate));
            }
        }
        candidates.sort_by_key(|(rank, c)| {
            (c.outcome != Outcome::Chosen, Reverse(*rank), c.connector.clone())
        });
        Decision {
            waits: chosen.is_some_and(|name| situation.down.contains(name)),
            route,
            candidates: candidates.into_iter().map(|(_, candidate)| candidate).collect(),
        }
    }

    /// Whether the address belongs to the system behind the connector that
    /// carries it: by an address space that is not everything; for Internet mail
    /// only by one that names the very domain or address. (`*.example` of the
    /// Internet is no claim to a domain of ours that lies in it: who is not here
    /// is nowhere, and sending it out would bring it back.)
    pub fn carries_by_name(&self, address: &TypedAddress) -> bool {
        let situation = Situation::default();
        let ranked = self.ranked(address, &situation);
        let best = ranked.into_iter().max_by_key(|(rank, name, _)| (*rank, Reverse(*name)));
        best.is_some_and(|((fit, ..), name, _)| match self.component(name) {
            Some(INTERNET_MAIL) => fit >= Specificity::Domain,
            _ => fit > Specificity::Everything,
        })
    }

    /// Address spaces that have the address, of connectors that are enabled.
    fn ranked<'t>(
        &'t self,
        address: &TypedAddress,
        situation: &Situation,
    ) -> Vec<(Rank, &'t str, &'t AddressSpace)> {
        let mut ranked = Vec::new();
        for (name, way) in self.enabled_ways() {
            for space in way.address_spaces.iter().filter(|s| in_scope(s, situation)) {
                let Some(fit) = space.matches(address) else { continue };
                let up = !situation.down.contains(name);
                let before = up && !situation.least_cost_only;
                let behind = up && situation.least_cost_only;
                ranked.push(((fit, before, Reverse(space.cost()), behind), name.as_str(), space));
            }
        }
        ranked
    }

    /// Connectors with an address space of this rank, each once, by name.
    fn equal(&self, address: &TypedAddress, situation: &Situation, rank: Rank) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .ranked(address, situation)
            .into_iter()
            .filter(|(other, _, _)| *other == rank)
            .map(|(_, name, _)| name)
            .collect();
        names.dedup();
        names
    }

    fn left_out(
        &self,
        way: &Way,
        space: &AddressSpace,
        address: &TypedAddress,
        situation: &Situation,
    ) -> Outcome {
        if let Some(problem) = space.problem() {
            return Outcome::Unusable(problem.to_owned());
        }
        if space.matches(address).is_none() {
            return Outcome::NoMatch;
        }
        match space.scope() {
            Some(scope) if !in_scope(space, situation) => Outcome::OutOfScope(scope.to_owned()),
            _ if !way.enabled => Outcome::Disabled,
            _ => Outcome::NoMatch,
        }
    }

    /// Names of the enabled connectors.
    pub fn enabled(&self) -> impl Iterator<Item = &str> {
        self.enabled_ways().map(|(name, _)| name.as_str())
    }

    /// Whether there is such a connector, and whether it is enabled.
    pub fn state(&self, connector: &str) -> Option<bool> {
        self.0.get(connector).map(|way| way.enabled)
    }

    /// The component of a connector.
    pub fn component(&self, connector: &str) -> Option<&str> {
        self.0.get(connector).map(|way| way.component.as_str())
    }

    fn enabled_ways(&self) -> impl Iterator<Item = (&String, &Way)> {
        self.0.iter().filter(|(_, way)| way.enabled)
    }
}

fn in_scope(space: &AddressSpace, situation: &Situation) -> bool {
    space
        .scope()
        .is_none_or(|scope| situation.scopes.iter().any(|name| name.eq_ignore_ascii_case(scope)))
}

fn lost_to(rank: Rank, best: Rank, is_chosen: bool) -> Outcome {
    let (fit, before, cost, behind) = rank;
    let (best_fit, best_before, best_cost, best_behind) = best;
    if rank == best {
        return if is_chosen { Outcome::Chosen } else { Outcome::OtherTurn };
    }
    if fit != best_fit {
        return Outcome::LessClose;
    }
    if before != best_before {
        return Outcome::Unreachable;
    }
    if cost != best_cost || behind == best_behind {
        return Outcome::Dearer;
    }
    Outcome::Unreachable
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Connector, Details, NewObject};
    use concord_base::{ObjectId, Timestamp};

    fn connector(name: &str, component: &str, enabled: bool, spaces: &[(&str, u8)]) -> Arc<Object> {
        let space = |(text, cost): &(&str, u8)| {
            let space: AddressSpace = text.parse().unwrap();
            AddressSpace::new(space.kind().clone(), space.pattern(), *cost).unwrap()
        };
        let details = Details::Connector(Connector {
            component: component.into(),
            enabled,
            address_spaces: spaces.iter().map(space).collect(),
            settings: serde_json::Map::new(),
        });
        Arc::new(Object::from_new(ObjectId(1), NewObject::new(name, details), Timestamp(0)))
    }

    fn to(routes: &Routes, address: &str) -> Option<String> {
        let route = routes.route(&address.parse().unwrap())?;
        Some(format!("{}/{}", route.connector, route.group))
    }

    #[test]
    fn without_connectors_everything_goes_to_the_internet() {
        let routes = Routes::new(&[connector("hook", "webhook", true, &[("HOOK:*", 1)])]);
        assert_eq!(to(&routes, "a@b.test").as_deref(), Some("internet-mail/b.test"));
        assert_eq!(to(&routes, "HOOK:a").as_deref(), Some("hook/HOOK"));
        assert_eq!(to(&routes, "NOTES:a"), None);
        assert!(!routes.carries_by_name(&"a@b.test".parse().unwrap()));
    }

    #[test]
    fn once_internet_mail_is_an_object_it_rules() {
        let only = connector("internet-mail", INTERNET_MAIL, false, &[("*", 1)]);
        let routes = Routes::new(&[only]);
        assert_eq!(to(&routes, "a@b.test"), None);
        assert_eq!(routes.enabled().count(), 0);
        assert_eq!(routes.state("internet-mail"), Some(false));
    }

    #[test]
    fn the_internet_has_no_claim_to_our_users_by_a_wide_space() {
        let with = |spaces| Routes::new(&[connector("internet-mail", INTERNET_MAIL, true, spaces)]);
        let user = "u@acme.test".parse().unwrap();
        assert!(!with(&[("*.test", 1)]).carries_by_name(&user));
        assert!(with(&[("*.test", 1), ("acme.test", 9)]).carries_by_name(&user));
    }

    #[test]
    fn the_closest_then_the_cheapest_then_the_first_wins() {
        let routes = Routes::new(&[
            connector("internet-mail", INTERNET_MAIL, true, &[("*", 1)]),
            connector("b", "x", true, &[("*.far.test", 5), ("near.test", 2), ("same.test", 1)]),
            connector(
                "a",
                "x",
                true,
                &[("*.very.far.test", 9), ("near.test", 3), ("same.test", 1)],
            ),
            connector("off", "x", false, &[("near.test", 0)]),
        ]);
        for (address, connector) in [
            ("u@x.very.far.test", "a/x.very.far.test"),
            ("u@x.far.test", "b/x.far.test"),
            ("u@near.test", "b/near.test"),
            ("u@same.test", "a/same.test"),
            ("u@far.test", "internet-mail/far.test"),
        ] {
            assert_eq!(to(&routes, address).as_deref(), Some(connector), "{address}");
        }
        assert!(routes.carries_by_name(&"u@near.test".parse().unwrap()));
        assert!(!routes.carries_by_name(&"u@far.test".parse().unwrap()));
    }

    fn situation(down: &[&str]) -> Situation {
        let down = down.iter().map(|name| (*name).to_owned()).collect();
        Situation { down: Arc::new(down), ..Situation::default() }
    }

    fn chosen(routes: &Routes, address: &str, situation: &Situation) -> Option<String> {
        routes.choose(&address.parse().unwrap(), situation).map(|route| route.connector)
    }

    /// T101: Q193322, Q166567.
    #[test]
    fn a_connector_that_is_down_loses_to_a_dearer_one_unless_cost_is_all() {
        let routes = Routes::new(&[
            connector("cheap", "x", true, &[("GWISE:*", 1)]),
            connector("dear", "x", true, &[("GWISE:*", 5)]),
            connector("narrow", "x", true, &[("GWISE:FAR.*", 9)]),
        ]);
        let up = situation(&[]);
        let down = situation(&["cheap", "narrow"]);
        let strict = Situation { least_cost_only: true, ..down.clone() };
        assert_eq!(chosen(&routes, "GWISE:A.B.c", &up).as_deref(), Some("cheap"));
        assert_eq!(chosen(&routes, "GWISE:A.B.c", &down).as_deref(), Some("dear"));
        assert_eq!(chosen(&routes, "GWISE:A.B.c", &strict).as_deref(), Some("cheap"));
        // What is less close may be another system: mail waits for the closest.
        assert_eq!(chosen(&routes, "GWISE:FAR.B.c", &down).as_deref(), Some("narrow"));
        let decision = routes.explain(&"GWISE:A.B.c".parse().unwrap(), &down);
        let outcomes: Vec<_> =
            decision.candidates.iter().map(|c| (c.connector.as_str(), &c.outcome)).collect();
        assert_eq!(
            outcomes,
            [
                ("dear", &Outcome::Chosen),
                ("cheap", &Outcome::Unreachable),
                ("narrow", &Outcome::NoMatch),
            ]
        );
        let waits = routes.explain(&"GWISE:FAR.B.c".parse().unwrap(), &down);
        assert!(waits.waits && !decision.waits);
    }

    #[test]
    fn equal_ways_take_turns() {
        let routes = Routes::new(&[
            connector("a", "x", true, &[("GWISE:*", 1), ("GWISE:A.*", 1)]),
            connector("b", "x", true, &[("GWISE:*", 1)]),
        ]);
        let turns: Vec<_> = (0..4)
            .map(|turn| chosen(&routes, "GWISE:X.Y.z", &Situation { turn, ..situation(&[]) }))
            .map(Option::unwrap)
            .collect();
        assert_eq!(turns, ["a", "b", "a", "b"]);
        let decision = routes.explain(&"GWISE:X.Y.z".parse().unwrap(), &situation(&[]));
        assert_eq!(decision.candidates[1].outcome, Outcome::OtherTurn);
        assert_eq!(
            chosen(&routes, "GWISE:A.Y.z", &Situation { turn: 1, ..situation(&[]) }).as_deref(),
            Some("a")
        );
    }

    #[test]
    fn a_scope_is_for_senders_of_that_container() {
        let scoped = connector("sales", "x", true, &[("GWISE:*", 1)]);
        let mut scoped = (*scoped).clone();
        if let Details::Connector(connector) = &mut scoped.details {
            let space = connector.address_spaces.pop().unwrap();
            connector.address_spaces.push(space.within(Some("Sales".into())));
        }
        let routes =
            Routes::new(&[Arc::new(scoped), connector("all", "x", true, &[("GWISE:*", 5)])]);
        let sales = Situation { scopes: vec!["EMEA".into(), "sales".into()], ..situation(&[]) };
        assert_eq!(chosen(&routes, "GWISE:A.B.c", &sales).as_deref(), Some("sales"));
        assert_eq!(chosen(&routes, "GWISE:A.B.c", &situation(&[])).as_deref(), Some("all"));
        let decision = routes.explain(&"GWISE:A.B.c".parse().unwrap(), &situation(&[]));
        assert_eq!(decision.candidates[1].outcome, Outcome::OutOfScope("Sales".into()));
    }

    /// Q182798.
    #[test]
    fn one_invalid_space_takes_no_other_route_with_it() {
        let json = r#"[{"type":"GWISE","pattern":""},{"type":"GWISE","pattern":"*"}]"#;
        let mut object = (*connector("gw", "x", true, &[])).clone();
        if let Details::Connector(connector) = &mut object.details {
            connector.address_spaces = serde_json::from_str(json).unwrap();
        }
        assert!(object.check().is_err(), "it cannot be stored anew");
        let routes = Routes::new(&[Arc::new(object)]);
        assert_eq!(chosen(&routes, "GWISE:A.B.c", &situation(&[])).as_deref(), Some("gw"));
        let decision = routes.explain(&"GWISE:A.B.c".parse().unwrap(), &situation(&[]));
        assert!(matches!(decision.candidates[1].outcome, Outcome::Unusable(_)));
    }
}
