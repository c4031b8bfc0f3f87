//! The routing table: which connector carries an address.

use crate::Object;
use concord_address::{AddressSpace, Specificity, TypedAddress};
use std::cmp::Reverse;
use std::collections::BTreeMap;
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
    /// What deliveries are grouped by: the domain of an Internet address, else
    /// the type.
    pub group: String,
}

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

    /// The connector that carries an address: the closest address space, then
    /// the lowest cost, then the first by name.
    pub fn route(&self, address: &TypedAddress) -> Option<Route> {
        let (_, name) = self.best(address)?;
        let group = match address.smtp() {
            Some(smtp) => smtp.domain().to_string(),
            None => address.kind().to_string(),
        };
        Some(Route { connector: name.to_owned(), group })
    }

    /// Whether the address belongs to the system behind the connector that
    /// carries it: by an address space that is not everything; for Internet mail
    /// only by one that names the very domain or address. (`*.example` of the
    /// Internet is no claim to a domain of ours that lies in it: who is not here
    /// is nowhere, and sending it out would bring it back.)
    pub fn carries_by_name(&self, address: &TypedAddress) -> bool {
        self.best(address).is_some_and(|(fit, name)| match self.component(name) {
            Some(INTERNET_MAIL) => fit >= Specificity::Domain,
            _ => fit > Specificity::Everything,
        })
    }

    /// The connector that carries an address, and how closely it fits.
    fn best(&self, address: &TypedAddress) -> Option<(Specificity, &str)> {
        let (fit, _, Reverse(name)) = self
            .enabled_ways()
            .flat_map(|(name, way)| way.address_spaces.iter().map(move |space| (name, space)))
            .filter_map(|(name, space)| {
                Some((space.matches(address)?, Reverse(space.cost()), Reverse(name)))
            })
            .max()?;
        Some((fit, name))
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
        let new = NewObject {
            name: name.into(),
            display_name: String::new(),
            proxies: Vec::new(),
            details,
        };
        Arc::new(Object::from_new(ObjectId(1), new, Timestamp(0)))
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
}
