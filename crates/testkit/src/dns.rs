//! A name server with the records that a test gives it.

use crate::trouble::{Result, trouble};
use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, PTR, SRV, TLSA, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long answers may be kept.
const TTL: u32 = 60;
/// How soon the thread sees that it should end.
const BEAT: Duration = Duration::from_millis(50);
/// The largest question.
const QUESTION: usize = 4_096;

/// What a name has.
#[derive(Debug, Clone, Default)]
struct Entry {
    records: Vec<RData>,
    trouble: Option<DnsTrouble>,
}

/// How a name misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsTrouble {
    /// The server says that it failed.
    ServFail,
    /// The server does not answer.
    Silence,
}

/// The records of a [`NameServer`].
#[derive(Debug, Clone, Default)]
pub struct Zone(HashMap<String, Entry>);

impl Zone {
    /// A text record. It is cut into strings of 255 octets.
    pub fn txt(&mut self, name: &str, text: &str) -> &mut Self {
        let strings: Vec<&[u8]> = text.as_bytes().chunks(255).collect();
        self.add(name, RData::TXT(TXT::from_bytes(strings)))
    }

    /// An address record of either family.
    pub fn address(&mut self, name: &str, address: IpAddr) -> &mut Self {
        let record = match address {
            IpAddr::V4(ip) => RData::A(A(ip)),
            IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
        };
        self.add(name, record)
    }

    /// A mail exchanger.
    ///
    /// # Errors
    /// The host is no name.
    pub fn mx(&mut self, name: &str, preference: u16, host: &str) -> Result<&mut Self> {
        let host = Name::from_ascii(host)?;
        Ok(self.add(name, RData::MX(MX::new(preference, host))))
    }

    /// The name of an address.
    ///
    /// # Errors
    /// The host is no name.
    pub fn ptr(&mut self, address: IpAddr, host: &str) -> Result<&mut Self> {
        let name = Name::from(address).to_ascii();
        let host = Name::from_ascii(host)?;
        Ok(self.add(&name, RData::PTR(PTR(host))))
    }

    /// Where a service is.
    ///
    /// # Errors
    /// The host is no name.
    pub fn srv(&mut self, name: &str, port: u16, host: &str) -> Result<&mut Self> {
        let host = Name::from_ascii(host)?;
        Ok(self.add(name, RData::SRV(SRV::new(0, 1, port, host))))
    }

    /// The SHA-256 of a public key (DANE-EE).
    pub fn tlsa(&mut self, name: &str, hash: &[u8]) -> &mut Self {
        let record = TLSA::new(CertUsage::DaneEe, Selector::Spki, Matching::Sha256, hash.to_vec());
        self.add(name, RData::TLSA(record))
    }

    /// Another name. Only questions for CNAME get it.
    ///
    /// # Errors
    /// The host is no name.
    pub fn cname(&mut self, name: &str, host: &str) -> Result<&mut Self> {
        let host = Name::from_ascii(host)?;
        Ok(self.add(name, RData::CNAME(CNAME(host))))
    }

    /// Takes everything from a name.
    pub fn clear(&mut self, name: &str) -> &mut Self {
        self.0.remove(&key(name));
        self
    }

    /// Lets a name misbehave.
    pub fn trouble(&mut self, name: &str, trouble: DnsTrouble) -> &mut Self {
        self.0.entry(key(name)).or_default().trouble = Some(trouble);
        self
    }

    fn add(&mut self, name: &str, record: RData) -> &mut Self {
        self.0.entry(key(name)).or_default().records.push(record);
        self
    }

    /// What there is; `None` if there is no such name. A name above one that is
    /// there is there too (RFC 8020).
    fn find(&self, name: &str) -> Option<Entry> {
        if let Some(entry) = self.0.get(name) {
            return Some(entry.clone());
        }
        let below = format!(".{name}");
        self.0.keys().any(|other| other.ends_with(&below)).then(Entry::default)
    }
}

fn key(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_ascii_lowercase())
}

/// A running name server; it ends when it is dropped. It speaks UDP only, and
/// answers in full however long that is.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
    questions: Arc<AtomicUsize>,
    zone: Arc<Mutex<Zone>>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Starts it at an address of this machine; with port 0 at any port.
    ///
    /// # Errors
    /// The address is taken.
    #[track_caller]
    pub fn start(at: SocketAddr, zone: Zone) -> Result<Self> {
        let socket = UdpSocket::bind(at).map_err(|e| trouble(format!("cannot bind {at}: {e}")))?;
        socket.set_read_timeout(Some(BEAT))?;
        let address = socket.local_addr()?;
        let (zone, end) = (Arc::new(Mutex::new(zone)), Arc::new(AtomicBool::new(false)));
        let questions = Arc::new(AtomicUsize::new(0));
        let (their_zone, their_end, count) = (zone.clone(), end.clone(), questions.clone());
        let thread = std::thread::spawn(move || {
            let mut buffer = [0u8; QUESTION];
            while !their_end.load(Ordering::Relaxed) {
                let Ok((octets, from)) = socket.recv_from(&mut buffer) else { continue };
                let Some(question) = buffer.get(..octets).map(Message::from_vec) else { continue };
                let Ok(question) = question else { continue };
                count.fetch_add(1, Ordering::Relaxed);
                let zone = their_zone.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(octets) = answer(&question, &zone).and_then(|m| m.to_vec().ok()) {
                    let _ = socket.send_to(&octets, from);
                }
            }
        });
        Ok(Self { address, questions, zone, end, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many questions it got.
    pub fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }

    /// Changes its records.
    pub fn change(&self, change: impl FnOnce(&mut Zone)) {
        change(&mut self.zone.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(question: &Message, zone: &Zone) -> Option<Message> {
    let query = question.queries.first()?.clone();
    let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
    answer.metadata.recursion_desired = true;
    answer.metadata.recursion_available = true;
    answer.metadata.authoritative = true;
    let name = query.name().to_ascii().to_lowercase();
    match zone.find(&name) {
        None => answer.metadata.response_code = ResponseCode::NXDomain,
        Some(entry) => match entry.trouble {
            Some(DnsTrouble::Silence) => return None,
            Some(DnsTrouble::ServFail) => answer.metadata.response_code = ResponseCode::ServFail,
            None => {
                let wanted = query.query_type();
                for data in entry.records {
                    if data.record_type() == wanted || wanted == RecordType::ANY {
                        answer.answers.push(Record::from_rdata(query.name().clone(), TTL, data));
                    }
                }
            }
        },
    }
    answer.queries.push(query);
    Some(answer)
}
