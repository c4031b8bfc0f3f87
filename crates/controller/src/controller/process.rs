//! Processes of services as the controller's task sees them.

use super::{Controller, Happening, Report};
use crate::service::{Service, Spawned};
use crate::{leftovers, notify};
use tokio::sync::mpsc;

impl Controller {
    pub(super) fn spawn(&mut self, index: usize, observer: &mut impl FnMut(Report<'_>)) {
        let Some(service) = self.services.get_mut(index) else {
            return;
        };
        self.processes += 1;
        match service.spawn(&self.config, self.processes) {
            Ok(spawned) => listen_to(service.epoch, spawned, &self.sender),
            Err(error) => {
                tracing::warn!(service = service.spec.name, %error, "cannot start");
                let event = service.not_started(&error);
                self.feed(index, event, observer);
            }
        }
    }

    pub(super) fn record(&self) {
        let running: Vec<_> = self.services.iter().filter_map(Service::recorded).collect();
        if let Err(error) = leftovers::write(&self.config.run_dir.join("services.json"), &running) {
            tracing::warn!(%error, "the next controller will not know of these services");
        }
    }
}

/// Tells the controller's task what the process says and when it ends.
fn listen_to(epoch: u64, spawned: Spawned, sender: &mpsc::Sender<Happening>) {
    let Spawned { mut child, notices } = spawned;
    let sender = sender.clone();
    tokio::spawn(async move {
        let mut datagram = vec![0; notify::MAX_DATAGRAM];
        let mut hears = true;
        let status = loop {
            // Words before the end: a process may say READY=1 and crash.
            tokio::select! {
                biased;
                received = notices.recv(&mut datagram), if hears => {
                    let Ok(length) = received else {
                        hears = false;
                        continue;
                    };
                    let notice = notify::read(datagram.get(..length).unwrap_or_default());
                    if sender.send(Happening::Notice(epoch, notice)).await.is_err() {
                        return;
                    }
                }
                status = child.wait() => break status,
            }
        };
        match status {
            Ok(status) => {
                let _ = sender.send(Happening::Ended(epoch, status)).await;
            }
            Err(error) => tracing::error!(%error, "cannot wait for a process"),
        }
    });
}
