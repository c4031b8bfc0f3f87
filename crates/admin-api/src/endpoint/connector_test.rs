//! `POST /v1/connectors/{name}/test`: has a connector look at its way.

use crate::api::State as App;
use crate::extract::Param;
use crate::wire::TestReport;
use crate::{ApiError, find};
use axum::Json;
use axum::extract::State;
use concord_connector::wire::{Probe, Work};
use concord_directory::{Connector, Kind};
use std::time::Duration;

/// What a connector gets for its probes; within the time of a request.
const PROBING: Duration = Duration::from_secs(20);

/// Probes of the core, then those of the connector itself. One that failed says
/// how it is mended.
pub(crate) async fn post(
    State(shared): App,
    Param(name): Param<String>,
) -> Result<Json<TestReport>, ApiError> {
    let object = find::object(&shared, Kind::Connector, &name).await?;
    let mut probes = object.connector().map(|c| own_probes(&object.name, c)).unwrap_or_default();
    let asked = shared.board.ask(&object.name, Work::Test);
    let answer = match asked {
        Some((_, answer)) => tokio::time::timeout(PROBING, answer).await.ok(),
        None => None,
    };
    match answer {
        Some(Ok(done)) => {
            probes.push(Probe::passed("service", "it answers"));
            probes.extend(done.probes);
            if let Some(error) = done.error {
                probes.push(Probe::failed("probes", error, "see the connector's log"));
            }
        }
        _ => {
            let seen = match shared.board.last_seen(&object.name) {
                Some(ago) => format!("it last asked for work {} seconds ago", ago.as_secs()),
                None => "it never asked for work".to_owned(),
            };
            let mend = format!(
                "see 'concord service status' and 'concord service logs {}'; a connector that does \
                 not know of tests never answers them",
                object.name
            );
            probes.push(Probe::failed("service", seen, mend));
        }
    }
    Ok(Json(TestReport { connector: object.name.clone(), probes }))
}

fn own_probes(name: &str, connector: &Connector) -> Vec<Probe> {
    let spaces = &connector.address_spaces;
    let mut probes = vec![if connector.enabled {
        Probe::passed("enabled", "it carries mail")
    } else {
        Probe::failed("enabled", "it is disabled", format!("concord connector enable {name}"))
    }];
    let broken: Vec<String> =
        spaces.iter().filter_map(|space| Some(format!("{space}: {}", space.problem()?))).collect();
    probes.push(if spaces.is_empty() {
        let mend = format!("concord connector set {name} --address-space TYPE:PATTERN");
        Probe::failed("address spaces", "it has none, so nothing is routed to it", mend)
    } else if !broken.is_empty() {
        let mend = format!("concord connector set {name} --remove-address-space SPACE");
        Probe::failed("address spaces", broken.join("; "), mend)
    } else {
        let all: Vec<String> = spaces.iter().map(ToString::to_string).collect();
        Probe::passed("address spaces", all.join(", "))
    });
    probes
}
