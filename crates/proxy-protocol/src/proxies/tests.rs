use super::*;
use crate::header::tests::{IPV4, block, seven};
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// What follows the header, the beginning of a TLS handshake.
const BEHIND: &[u8] = b"\x16\x03\x01\r\nPROXY \n";

fn trusting(network: &str) -> Proxies {
    Proxies::new(vec![network.parse().unwrap()])
}

/// A connection whose client has sent these octets and keeps it open.
async fn connection(octets: &[u8]) -> (TcpStream, TcpStream, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    client.write_all(octets).await.unwrap();
    let (stream, peer) = listener.accept().await.unwrap();
    (client, stream, peer)
}

/// What a reader of the header leaves to the protocol behind it.
async fn left(mut stream: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut rest = vec![0; BEHIND.len()];
    let all = tokio::time::timeout(HEADER_TIME, stream.read_exact(&mut rest)).await;
    assert!(matches!(all, Ok(Ok(_))), "octets behind the header are gone: {all:?}");
    rest
}

#[tokio::test]
async fn the_client_is_whom_a_proxy_names_and_what_follows_is_untouched() {
    let line = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\n".to_vec();
    for head in [line, block(0x21, 0x11, &IPV4, &[0xea, 0, 1, 9])] {
        let (_client, mut stream, peer) = connection(&[&head, BEHIND].concat()).await;
        let ends = trusting("127.0.0.0/8").identify("test", &mut stream, peer).await.unwrap();
        assert_eq!(ends.client, "192.0.2.7:40000".parse().unwrap());
        assert_eq!(ends.to, Some("198.51.100.1:25".parse().unwrap()));
        assert_eq!(left(stream).await, BEHIND);
    }
}

#[tokio::test]
async fn a_strangers_header_is_not_looked_at() {
    let said = [b"PROXY UNKNOWN\r\n", BEHIND].concat();
    for proxies in [Proxies::default(), trusting("192.0.2.0/24")] {
        let (_client, mut stream, peer) = connection(&said).await;
        let ends = proxies.identify("test", &mut stream, peer).await.unwrap();
        assert_eq!(ends.client, peer);
        assert_eq!(ends.to, stream.local_addr().ok());
        let mut rest = vec![0; said.len()];
        let all = tokio::time::timeout(HEADER_TIME, stream.read_exact(&mut rest)).await;
        assert!(matches!(all, Ok(Ok(_))) && rest == said, "{all:?}: {rest:?}");
    }
}

#[tokio::test]
async fn a_proxys_own_connection_has_the_sockets_addresses() {
    let said = [block(0x20, 0x00, &[], &[]).as_slice(), BEHIND].concat();
    let (_client, mut stream, peer) = connection(&said).await;
    let ends = trusting("127.0.0.1").identify("test", &mut stream, peer).await.unwrap();
    assert_eq!((ends.client, ends.to), (peer, stream.local_addr().ok()));
    assert_eq!(left(stream).await, BEHIND);
}

#[tokio::test]
async fn a_proxy_without_a_header_is_refused() {
    let proxies = trusting("127.0.0.1");
    let (_client, mut stream, peer) = connection(b"EHLO a.test\r\n").await;
    assert_eq!(proxies.identify("test", &mut stream, peer).await, None);
    let (client, mut stream, _) = connection(b"").await;
    drop(client);
    let found = proxies.header(&mut stream).await;
    assert!(matches!(found, Err(ProxyError::Unused)), "{found:?}");
    let (client, mut stream, _) = connection(b"PROXY TCP4 192.0.").await;
    drop(client);
    let found = proxies.header(&mut stream).await;
    assert!(matches!(found, Err(ProxyError::CutOff)), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_header_that_does_not_end_is_too_late() {
    let proxies = Proxies::default();
    for part in [&b""[..], b"PROXY TCP4 ", b"\r\n\r\n\0\r\nQUIT\n\x21"] {
        let (mut client, mut stream) = tokio::io::duplex(64);
        client.write_all(part).await.unwrap();
        let began = tokio::time::Instant::now();
        let found = proxies.header(&mut stream).await;
        assert!(matches!(found, Err(ProxyError::Late { .. })), "{found:?}");
        assert_eq!(began.elapsed().as_secs(), HEADER_TIME.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_wait_and_no_more() {
    let proxies = std::sync::Arc::new(Proxies::default());
    let mut open = Vec::new();
    for _ in 0..MOST_WAITING {
        let (client, mut stream) = tokio::io::duplex(64);
        open.push(client);
        let proxies = std::sync::Arc::clone(&proxies);
        tokio::spawn(async move { proxies.header(&mut stream).await });
    }
    tokio::time::sleep(HEADER_TIME / 2).await;
    let mut header = &b"PROXY UNKNOWN\r\n"[..];
    let found = proxies.header(&mut header).await;
    assert!(matches!(found, Err(ProxyError::TooMany { most: MOST_WAITING })), "{found:?}");
    tokio::time::sleep(HEADER_TIME * 2).await;
    let mut header = &b"PROXY UNKNOWN\r\n"[..];
    assert_eq!(proxies.header(&mut header).await.unwrap(), Header::Own, "places come back");
}

proptest! {
    /// However it comes in, the header is found, and only it is read.
    #[test]
    fn pieces_make_no_difference(cuts in proptest::collection::vec(1_usize..20, 0..80)) {
        let line = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\n".to_vec();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for head in [line, block(0x21, 0x11, &IPV4, &[0xea, 0, 1, 9])] {
            let mut all: &[u8] = &[&head, BEHIND].concat();
            let (mut client, mut stream) = tokio::io::duplex(1 + cuts.len());
            let (found, rest) = runtime.block_on(async {
                let sending = async {
                    for cut in cuts.iter().copied().chain(std::iter::repeat(1)) {
                        if all.is_empty() {
                            break;
                        }
                        let (piece, more) = all.split_at(cut.min(all.len()));
                        client.write_all(piece).await.unwrap();
                        tokio::task::yield_now().await;
                        all = more;
                    }
                };
                let reading = async {
                    (Proxies::default().header(&mut stream).await, left(&mut stream).await)
                };
                tokio::join!(sending, reading).1
            });
            prop_assert_eq!(found.unwrap(), seven());
            prop_assert_eq!(rest, BEHIND);
        }
    }
}
