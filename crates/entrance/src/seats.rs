//! How many connections there are at once, in all and of each client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections, in all and for each client address.
#[derive(Debug)]
pub struct Seats {
    most: usize,
    most_per_client: usize,
    now: Mutex<(usize, HashMap<IpAddr, usize>)>,
}

/// A client's seat; it is free again when dropped.
#[derive(Debug)]
pub struct ClientSeat {
    seats: Arc<Seats>,
    client: IpAddr,
}

impl Seats {
    /// All free.
    pub fn new(most: usize, most_per_client: usize) -> Self {
        Self { most, most_per_client, now: Mutex::default() }
    }

    /// A seat, if one is left.
    pub fn take(self: &Arc<Self>, client: IpAddr) -> Option<ClientSeat> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, clients) = &mut *now;
        let of_client = clients.get(&client).copied().unwrap_or(0);
        if *total >= self.most || of_client >= self.most_per_client {
            return None;
        }
        *total = total.saturating_add(1);
        clients.insert(client, of_client.saturating_add(1));
        Some(ClientSeat { seats: Arc::clone(self), client })
    }
}

impl Drop for ClientSeat {
    fn drop(&mut self) {
        let mut now = self.seats.now.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, clients) = &mut *now;
        *total = total.saturating_sub(1);
        if let Some(count) = clients.get_mut(&self.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                clients.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_bounded_and_come_back() {
        let seats = Arc::new(Seats::new(3, 2));
        let ip = |n| IpAddr::from([192, 0, 2, n]);
        let first = seats.take(ip(1)).unwrap();
        let _second = seats.take(ip(1)).unwrap();
        assert!(seats.take(ip(1)).is_none(), "two for each client");
        let _third = seats.take(ip(2)).unwrap();
        assert!(seats.take(ip(3)).is_none(), "three in all");
        drop(first);
        assert!(seats.take(ip(1)).is_some());
        assert_eq!(seats.now.lock().unwrap().1.len(), 2);
    }
}
