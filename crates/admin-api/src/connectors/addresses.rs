//! `POST /v1/addresses`: whose addresses are.

use crate::ApiError;
use crate::api::State as App;
use crate::extract::Body;
use axum::Json;
use axum::extract::State;
use concord_address::TypedAddress;
use concord_connector::wire::{
    AddressAnswer, AddressAnswers, AddressQuery, MAX_ADDRESSES, RecipientFacts,
};
use concord_directory::Object;

pub(crate) async fn post(
    State(shared): App,
    Body(query): Body<AddressQuery>,
) -> Result<Json<AddressAnswers>, ApiError> {
    if query.addresses.len() > MAX_ADDRESSES {
        return Err(ApiError::Invalid(format!(
            "cannot look up more than {MAX_ADDRESSES} addresses at once; ask in parts"
        )));
    }
    let mut answers = Vec::with_capacity(query.addresses.len());
    for address in query.addresses {
        // What is no address is nobody's.
        let found = match address.parse::<TypedAddress>() {
            Ok(typed) => shared.api.directory.lookup(&typed).await?,
            Err(_) => None,
        };
        answers.push(AddressAnswer { address, recipient: found.map(|object| facts(&object)) });
    }
    Ok(Json(AddressAnswers { answers }))
}

pub(super) fn facts(object: &Object) -> RecipientFacts {
    let mut facts = RecipientFacts {
        kind: object.kind().as_str().to_owned(),
        name: object.name.clone(),
        display_name: object.display_name.clone(),
        target: object.target().map(ToString::to_string),
        ..RecipientFacts::default()
    };
    if let Some(target) = object.target() {
        facts.addresses.insert(target.kind().to_string(), target.to_string());
    }
    for proxy in object.proxies.iter().filter(|proxy| proxy.primary) {
        facts.addresses.insert(proxy.address.kind().to_string(), proxy.address.to_string());
    }
    for (name, values) in object.attributes.iter() {
        facts.attributes.insert(name.to_owned(), values.to_vec());
    }
    facts
}
