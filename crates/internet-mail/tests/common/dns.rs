//! A name server with a few names.

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::net::UdpSocket;

/// The name server, and the last octet of the address of `moving.test`, whose
/// records may be kept for a second.
pub async fn start_moving() -> (SocketAddr, Arc<AtomicU8>) {
    let host = Arc::new(AtomicU8::new(2));
    (start_with(Arc::clone(&host)).await, host)
}

/// What a name has. `chain1.test` to `chain12.test` are each another name of the
/// next one.
fn records(name: &str, kind: RecordType, moving: u8) -> Result<Vec<RData>, ResponseCode> {
    if let Some(link) = name.strip_prefix("chain").and_then(|n| n.strip_suffix(".test."))
        && let Ok(number) = link.parse::<u8>()
        && number < 12
    {
        let next = Name::from_ascii(format!("chain{}.test.", number + 1)).unwrap();
        return Ok(vec![RData::CNAME(CNAME(next))]);
    }
    let a = |n: u8| vec![RData::A(A::new(127, 0, 0, n))];
    let mx = |list: &[(u16, &str)]| {
        let record = |(p, h): &(u16, &str)| RData::MX(MX::new(*p, Name::from_ascii(h).unwrap()));
        list.iter().map(record).collect::<Vec<_>>()
    };
    let (exchangers, address) = match name {
        "one.test." => (mx(&[(10, "mx1.test.")]), vec![]),
        "two.test." => (mx(&[(20, "mx2.test."), (10, "mx1.test.")]), vec![]),
        "fallback.test." => (mx(&[(10, "dead.test."), (20, "mx2.test.")]), vec![]),
        "allgone.test." => (mx(&[(10, "dead.test.")]), vec![]),
        "mx1.test." => (vec![], a(2)),
        "moving.test." => (vec![], a(moving)),
        "chain12.test." => (vec![], a(2)),
        "mx2.test." | "implicit.test." => (vec![], a(3)),
        "dead.test." => (vec![], a(9)),
        "null.test." => (mx(&[(0, ".")]), vec![]),
        "loop.test." => (mx(&[(10, "mail.example.test."), (20, "mx1.test.")]), vec![]),
        "backup.test." => (mx(&[(10, "mx1.test."), (20, "mail.example.test.")]), vec![]),
        "noaddress.test." => (mx(&[(10, "empty.test.")]), vec![]),
        "empty.test." => (vec![], vec![]),
        "broken.test." => return Err(ResponseCode::ServFail),
        _ => return Err(ResponseCode::NXDomain),
    };
    Ok(match kind {
        RecordType::MX => exchangers,
        RecordType::A => address,
        _ => vec![],
    })
}

/// Starts it; gives its address.
pub async fn start() -> SocketAddr {
    start_with(Arc::new(AtomicU8::new(2))).await
}

async fn start_with(moving: Arc<AtomicU8>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0u8; 1500];
        loop {
            let (octets, from) = socket.recv_from(&mut buffer).await.unwrap();
            let Ok(question) = Message::from_vec(&buffer[..octets]) else { continue };
            let answer = answer(&question, moving.load(Ordering::SeqCst));
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    address
}

fn answer(question: &Message, moving: u8) -> Message {
    let query = question.queries[0].clone();
    let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
    answer.metadata.recursion_desired = true;
    answer.metadata.recursion_available = true;
    let name = query.name().to_ascii().to_lowercase();
    let ttl = if name == "moving.test." { 1 } else { 60 };
    match records(&name, query.query_type(), moving) {
        Ok(found) => {
            for data in found {
                answer.answers.push(Record::from_rdata(query.name().clone(), ttl, data));
            }
        }
        Err(code) => answer.metadata.response_code = code,
    }
    answer.queries.push(query);
    answer
}
