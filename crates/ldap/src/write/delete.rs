//! Delete (RFC 4511 section 4.8).

use super::{changeable, current, locate, refused};
use crate::client::Client;
use crate::result::{Code, Outcome, Refusal};
use concord_directory::DirectoryAct;
use std::sync::Arc;

/// Removes an entry that has nothing below it.
pub(crate) async fn delete(client: &mut Client, dn: &str) -> Outcome<()> {
    client.refresh().await?;
    client.must_be_somebody()?;
    let place = {
        let catalogue = client.server.follower.read();
        let place = locate(client, &catalogue, dn)?;
        if !client.access().changes(&place.subject, &catalogue.tree) {
            return Err(refused("you may not remove this entry"));
        }
        if catalogue.children(place.slot).is_some_and(|children| !children.is_empty()) {
            let message = "there are entries below it; move or remove them first";
            return Err(Refusal::new(Code::NotAllowedOnNonLeaf, message));
        }
        place
    };
    changeable(place.kind)?;
    let writer = Arc::clone(&client.server.writer);
    // it leaves the lists that it is in, which nobody else may write meanwhile
    let _turn = writer.whole().await;
    current(client, place.id).await?;
    client.server.directory.change(DirectoryAct::Remove(place.id)).await?;
    Ok(())
}
