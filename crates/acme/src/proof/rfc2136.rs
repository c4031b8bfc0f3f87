//! Records made by a change of the zone (RFC 2136), signed by TSIG (RFC 8945).

use super::TsigKey;
use crate::error::AcmeError;
use hickory_net::client::{Client, ClientHandle};
use hickory_net::proto::op::{DnsResponse, ResponseCode};
use hickory_net::proto::rr::rdata::TXT;
use hickory_net::proto::rr::{DNSClass, Name, RData, Record, RecordType, TSigner};
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::tcp::TcpClientStream;
use hickory_net::xfer::DnsMultiplexer;
use std::time::Duration;

/// Connection, question and change together.
pub(super) const CHANGE_TIME: Duration = Duration::from_secs(30);
/// One step of it.
const STEP_TIME: Duration = Duration::from_secs(10);
/// Nobody needs the record for longer.
const TTL: u32 = 60;
/// RFC 8945 section 10: the recommended difference of clocks, in seconds.
const FUDGE: u16 = 300;

/// A primary name server that takes changes.
#[derive(Debug, Clone)]
pub struct DnsUpdate {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The key that may change the zone.
    pub key: TsigKey,
    /// The zone; the server is asked if absent.
    pub zone: Option<String>,
}

enum Act {
    Add,
    Remove,
}

impl DnsUpdate {
    pub(super) async fn add(&self, record: &str, value: &str) -> Result<(), AcmeError> {
        self.change(Act::Add, record, value).await
    }

    pub(super) async fn remove(&self, record: &str, value: &str) -> Result<(), AcmeError> {
        self.change(Act::Remove, record, value).await
    }

    async fn change(&self, act: Act, record: &str, value: &str) -> Result<(), AcmeError> {
        let work = tokio::time::timeout(CHANGE_TIME, self.run(act, record, value));
        work.await.unwrap_or_else(|_| Err(self.unreachable("no answer in time")))
    }

    async fn run(&self, act: Act, record: &str, value: &str) -> Result<(), AcmeError> {
        let name = self.name(record)?;
        let mut client = self.connect().await?;
        let zone = match &self.zone {
            Some(zone) => self.name(zone)?,
            None => self.zone_of(&mut client, &name).await?,
        };
        // The library takes no others.
        if !zone.zone_of(&name) {
            return Err(self.no_zone(record, format!("nothing: it is not in {zone}")));
        }
        let text = RData::TXT(TXT::new(vec![value.to_owned()]));
        let change = Record::from_rdata(name, TTL, text);
        let answer = match act {
            Act::Add => client.append(change, zone, false).await,
            Act::Remove => client.delete_by_rdata(change, zone).await,
        };
        let answer = answer.map_err(|e| self.unreachable(e))?;
        match code(&answer) {
            ResponseCode::NoError => Ok(()),
            code => Err(AcmeError::NoUpdate {
                server: self.server(),
                record: record.to_owned(),
                answer: code.to_string(),
            }),
        }
    }

    async fn connect(&self) -> Result<Client<TokioRuntimeProvider>, AcmeError> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        let address = found
            .map_err(|e| self.unreachable(e))?
            .next()
            .ok_or_else(|| self.unreachable("it has no address"))?;
        let key = &self.key;
        let signer =
            TSigner::new(key.secret.clone(), key.algorithm.clone(), key.name.clone(), FUDGE)
                .map_err(|e| AcmeError::Library(e.to_string()))?;
        let provider = TokioRuntimeProvider::new();
        let (stream, sender) = TcpClientStream::new(address, None, Some(STEP_TIME), provider);
        let stream = stream.await.map_err(|e| self.unreachable(e))?;
        let multiplexer =
            DnsMultiplexer::new(stream, sender).with_timeout(STEP_TIME).with_signer(signer);
        let (client, conversation) = Client::from_sender(multiplexer);
        // Ends with the client.
        tokio::spawn(conversation);
        Ok(client)
    }

    /// RFC 2308 section 3: an answer without records carries the zone's SOA.
    async fn zone_of(
        &self,
        client: &mut Client<TokioRuntimeProvider>,
        name: &Name,
    ) -> Result<Name, AcmeError> {
        let answer = client
            .query(name.clone(), DNSClass::IN, RecordType::SOA)
            .await
            .map_err(|e| self.unreachable(e))?;
        let records = answer.answers.iter().chain(answer.authorities.iter());
        let zone = records
            .filter(|record| record.record_type() == RecordType::SOA)
            .map(|record| record.name.clone())
            .next();
        zone.ok_or_else(|| self.no_zone(&name.to_ascii(), code(&answer).to_string()))
    }

    fn name(&self, text: &str) -> Result<Name, AcmeError> {
        let name = Name::from_ascii(text);
        let mut name = name.map_err(|_| self.no_zone(text, "nothing: it is no name".to_owned()))?;
        name.set_fqdn(true);
        Ok(name)
    }

    fn server(&self) -> String {
        format!("{} port {}", self.host, self.port)
    }

    fn unreachable(&self, cause: impl ToString) -> AcmeError {
        AcmeError::NameServer { server: self.server(), cause: cause.to_string() }
    }

    fn no_zone(&self, record: &str, answer: String) -> AcmeError {
        AcmeError::NoZone { server: self.server(), record: record.to_owned(), answer }
    }
}

fn code(answer: &DnsResponse) -> ResponseCode {
    answer.metadata.response_code
}
