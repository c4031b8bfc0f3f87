//! A way for TCP connections that can be cut.

use crate::trouble::Result;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Octets passed on at a time.
const PIECE: usize = 4_096;
/// How often the listener looks whether it is over.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
struct State {
    open: Mutex<Vec<TcpStream>>,
    over: AtomicBool,
    closed: AtomicBool,
    connections: AtomicUsize,
}

/// Passes connections on to a port of this machine, and cuts them when it is told.
#[derive(Debug)]
pub struct Breaker {
    port: u16,
    state: Arc<State>,
}

impl Breaker {
    /// Listens on `port` and passes on to `target`.
    ///
    /// # Errors
    /// The port is not free.
    pub fn start(port: u16, target: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let state = Arc::new(State::default());
        let of_thread = Arc::clone(&state);
        std::thread::Builder::new().name("breaker".into()).spawn(move || {
            while !of_thread.over.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => pass(stream, target, &of_thread),
                    Err(_) => std::thread::sleep(LOOK),
                }
            }
        })?;
        Ok(Self { port, state })
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Connections that there were.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        let mut open = self.state.open.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Cuts every connection and lets none through, or lets them through again.
    pub fn close(&self, closed: bool) {
        self.state.closed.store(closed, Ordering::Relaxed);
        if closed {
            self.cut();
        }
    }
}

impl Drop for Breaker {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Relaxed);
        self.cut();
    }
}

fn pass(near: TcpStream, target: u16, state: &Arc<State>) {
    if state.closed.load(Ordering::Relaxed) {
        return;
    }
    let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else { return };
    state.connections.fetch_add(1, Ordering::Relaxed);
    let _ = near.set_nonblocking(false);
    let pairs = [(near.try_clone(), far.try_clone()), (far.try_clone(), near.try_clone())];
    state.open.lock().unwrap_or_else(PoisonError::into_inner).extend([near, far]);
    for (from, to) in pairs {
        let (Ok(mut from), Ok(mut to)) = (from, to) else { continue };
        let _ = to.set_nodelay(true);
        std::thread::spawn(move || {
            let mut octets = [0; PIECE];
            while let Ok(count) = from.read(&mut octets) {
                let piece = octets.get(..count).unwrap_or_default();
                if count == 0 || to.write_all(piece).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}
