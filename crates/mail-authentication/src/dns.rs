//! Names: the resolver with its cache, and the watch on what a library asks.

use crate::error::AuthenticationError;
use crate::limits;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use mail_auth::{DnsError, MX, RecordSet, ResolverCache, Txt};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Sets the resolver up; with no servers those of `/etc/resolv.conf`. Its cache
/// is bounded by [`limits::CACHE_ENTRIES`], and goes by TTL.
pub(crate) fn resolver(servers: &[SocketAddr]) -> Result<TokioResolver, AuthenticationError> {
    let mut builder = concord_resolver::service_builder(servers);
    let options = builder.options_mut();
    options.timeout = limits::DNS_TIMEOUT;
    options.attempts = limits::DNS_ATTEMPTS;
    options.cache_size = limits::CACHE_ENTRIES;
    options.positive_max_ttl = Some(limits::CACHE_TTL);
    options.negative_max_ttl = Some(limits::CACHE_NEGATIVE_TTL);
    Ok(concord_resolver::build(builder)?)
}

/// Why there are no TXT records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoText {
    /// The name has none.
    Absent,
    /// The DNS did not answer.
    Unanswered,
}

/// The TXT records of a name, each with its strings joined.
pub(crate) async fn texts(resolver: &TokioResolver, name: &str) -> Result<Vec<Vec<u8>>, NoText> {
    let name = format!("{}.", name.trim_end_matches('.'));
    let lookup = match resolver.lookup(name.as_str(), RecordType::TXT).await {
        Ok(lookup) => lookup,
        Err(e) if e.is_no_records_found() || e.is_nx_domain() => return Err(NoText::Absent),
        Err(_) => return Err(NoText::Unanswered),
    };
    let texts: Vec<Vec<u8>> = lookup
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::TXT(txt) => Some(txt.txt_data.iter().flat_map(|part| part.to_vec()).collect()),
            _ => None,
        })
        .collect();
    if texts.is_empty() { Err(NoText::Absent) } else { Ok(texts) }
}

/// Stands where the library has a cache. It counts what one check asks, puts a
/// bound on it, and notes which names had text. The answers themselves are in
/// the resolver's cache.
pub(crate) struct Watch {
    client_is_v4: bool,
    asked: AtomicUsize,
    empty: AtomicUsize,
    both_families: AtomicUsize,
    with_text: Mutex<Vec<String>>,
    instead: HashMap<Box<str>, Txt>,
}

impl Watch {
    pub(crate) fn new(client: IpAddr) -> Self {
        Self {
            client_is_v4: client.is_ipv4(),
            asked: AtomicUsize::new(0),
            empty: AtomicUsize::new(0),
            both_families: AtomicUsize::new(0),
            with_text: Mutex::new(Vec::new()),
            instead: HashMap::new(),
        }
    }

    /// Answers given instead of the DNS's, by names with their final dot.
    pub(crate) fn answering(mut self, instead: HashMap<Box<str>, Txt>) -> Self {
        self.instead = instead;
        self
    }

    /// Whether more was asked than one check may.
    pub(crate) fn over_limit(&self) -> bool {
        self.asked.load(Ordering::Relaxed) > limits::MAX_LOOKUPS
    }

    /// Lookups of addresses, exchangers and names that had no answer. The
    /// library looks for both families of addresses only for `exists`, and does
    /// not tell what it found there: those do not count.
    pub(crate) fn void_lookups(&self) -> usize {
        let empty = self.empty.load(Ordering::Relaxed);
        empty.saturating_sub(self.both_families.load(Ordering::Relaxed))
    }

    /// The names that had text records.
    pub(crate) fn names_with_text(&self) -> Vec<String> {
        self.with_text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn refuses(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= limits::MAX_LOOKUPS
    }

    fn answered(&self) {
        self.empty.fetch_sub(1, Ordering::Relaxed);
    }

    /// A lookup begins; it is empty until it is answered.
    fn begins<T>(&self) -> Option<RecordSet<T>> {
        if self.refuses() {
            let nothing = RecordSet {
                rrset: Arc::from(Vec::new()),
                dnssec_status: mail_auth::DnssecStatus::Indeterminate,
            };
            return Some(nothing);
        }
        self.empty.fetch_add(1, Ordering::Relaxed);
        None
    }
}

impl ResolverCache<Box<str>, Txt> for Watch {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.refuses() {
            let error = DnsError::Resolver("too many lookups".to_owned());
            return Some(Txt::Error(mail_auth::Error::Dns(error)));
        }
        self.instead.get(name).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, key: Box<str>, _: Txt, _: Instant) {
        self.with_text.lock().unwrap_or_else(PoisonError::into_inner).push(key.into_string());
    }
}

macro_rules! watches {
    ($key:ty, $value:ty, $asked:expr) => {
        impl ResolverCache<$key, RecordSet<$value>> for Watch {
            fn get<Q>(&self, _: &Q) -> Option<RecordSet<$value>>
            where
                $key: Borrow<Q>,
                Q: Hash + Eq + ?Sized,
            {
                let asked: fn(&Self) = $asked;
                asked(self);
                self.begins()
            }

            fn remove<Q>(&self, _: &Q) -> Option<RecordSet<$value>>
            where
                $key: Borrow<Q>,
                Q: Hash + Eq + ?Sized,
            {
                None
            }

            fn insert(&self, _: $key, _: RecordSet<$value>, _: Instant) {
                self.answered();
            }
        }
    };
}

watches!(Box<str>, MX, |_| {});
watches!(IpAddr, Box<str>, |_| {});
watches!(Box<str>, Ipv4Addr, |watch| {
    if !watch.client_is_v4 {
        watch.both_families.fetch_add(2, Ordering::Relaxed);
    }
});
watches!(Box<str>, Ipv6Addr, |watch| {
    if watch.client_is_v4 {
        watch.both_families.fetch_add(2, Ordering::Relaxed);
    }
});
