//! Listings of the admin API.

use concord_admin_api::wire::Page;
use concord_controller::{ClientError, JsonClient};
use serde::de::DeserializeOwned;

/// All items of a listing, page after page.
pub async fn all<T: DeserializeOwned>(
    admin: &JsonClient,
    path: &str,
    query: &[(&str, &str)],
) -> Result<Vec<T>, ClientError> {
    let mut items = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut query = query.to_vec();
        if let Some(after) = &after {
            query.push(("after", after));
        }
        let page: Page<T> = admin.get(path, &query).await?;
        items.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(items),
        }
    }
}
