//! How many connections one client has. Without it ten thousand of one are the server; with it, it takes many to shut others out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{Network, Web};
use crate::http::client_address::network;

/// Open connections by client: an address, or a network that one customer of a provider has to himself.
#[derive(Clone)]
pub struct Shares {
    most: usize,
    trusted: Arc<[Network]>,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection in its client's share; given back when dropped.
pub(super) struct Share {
    /// None for a proxy of ours, which brings everybody.
    of: Option<(Shares, IpAddr)>,
}

impl Shares {
    /// Nobody is connected yet.
    #[must_use]
    pub fn new(web: &Web) -> Self {
        Self {
            most: web.connections_per_client,
            trusted: web.trusted_proxies.clone().into(),
            open: Arc::default(),
        }
    }

    /// A place for one more; none when the client has all of its own.
    pub(super) fn take(&self, peer: IpAddr) -> Option<Share> {
        let peer = peer.to_canonical();
        if self.trusted.iter().any(|network| network.contains(peer)) {
            return Some(Share { of: None });
        }
        let client = network(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Share {
            of: Some((self.clone(), client)),
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, client)) = &self.of else {
            return;
        };
        let mut open = shares.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_share_and_gets_it_back() {
        let shares = Shares {
            most: 2,
            trusted: [Network::parse("10.0.0.0/8").unwrap()].into(),
            open: Arc::default(),
        };
        let take = |address: &str| shares.take(address.parse().unwrap());
        let held = [
            take("192.0.2.1").unwrap(),
            take("::ffff:192.0.2.1").unwrap(),
        ];
        assert!(take("192.0.2.1").is_none());
        let of_network = [take("2001:db8::1").unwrap(), take("2001:db8::2").unwrap()];
        assert!(take("2001:db8::3").is_none());
        let proxied: Vec<Share> = (0..9).filter_map(|_| take("10.0.0.1")).collect();
        assert_eq!(proxied.len(), 9, "a proxy brings everybody");
        drop(held);
        assert!(take("192.0.2.1").is_some());
        drop((of_network, proxied));
        assert!(
            shares.open.lock().unwrap().is_empty(),
            "nobody is remembered who has left"
        );
    }
}
