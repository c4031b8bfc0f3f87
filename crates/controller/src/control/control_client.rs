//! The client's side of the control API.

use super::client::{JsonClient, whole};
use super::client_error::ClientError;
use super::request_path::path_of;
use crate::controller::Successor;
use crate::status::{LogTail, ServiceStatus, Verb};
use bytes::Bytes;
use hyper::Method;
use std::path::Path;
use std::time::Duration;

const SERVICES: &str = "/v1/services";
/// What a new controller gets to answer: it reads its configuration, checks
/// certificates and opens what sockets are new, on a machine that is busy.
pub const REPLACE_TIME: Duration = Duration::from_secs(60);

/// A client of the controller.
#[derive(Debug, Clone)]
pub struct ControlClient(JsonClient);

impl ControlClient {
    /// A client for the control socket.
    pub fn new(socket: &Path) -> Self {
        Self(JsonClient::new(socket))
    }

    /// Every service, the controller first.
    pub async fn list(&self) -> Result<Vec<ServiceStatus>, ClientError> {
        self.0.get(SERVICES, &[]).await
    }

    /// One service.
    pub async fn status(&self, name: &str) -> Result<ServiceStatus, ClientError> {
        self.0.get(&path_of(SERVICES, name), &[]).await
    }

    /// Starts, stops or restarts a service; answers when it is ready, stopped
    /// or failed.
    pub async fn act(&self, name: &str, verb: Verb) -> Result<ServiceStatus, ClientError> {
        let path = format!("{}/{}", path_of(SERVICES, name), verb.as_str());
        self.0.act(Method::POST, &path).await
    }

    /// The last `lines` lines of a service's log.
    pub async fn logs(&self, name: &str, lines: usize) -> Result<LogTail, ClientError> {
        let path = format!("{}/logs", path_of(SERVICES, name));
        self.0.get(&path, &[("lines", &lines.to_string())]).await
    }

    /// Stops everything. Answers at once.
    pub async fn shutdown(&self) -> Result<(), ClientError> {
        self.0.act(Method::POST, "/v1/shutdown").await
    }

    /// Has the services read anew; answers when what runs is what they say.
    pub async fn reload(&self) -> Result<Vec<ServiceStatus>, ClientError> {
        self.0.act(Method::POST, "/v1/reload").await
    }

    /// Ends every process and keeps every socket; answers when all have ended.
    pub async fn pause(&self) -> Result<Vec<ServiceStatus>, ClientError> {
        self.0.act(Method::POST, "/v1/pause").await
    }

    /// Ends a pause; answers when no service changes its state by itself.
    pub async fn resume(&self) -> Result<Vec<ServiceStatus>, ClientError> {
        self.0.act(Method::POST, "/v1/resume").await
    }

    /// Has the paused controller replaced by `program` (an absolute path) in
    /// the same process; answers when the new one does, with its services. It
    /// is paused.
    ///
    /// # Errors
    /// The controller's refusal, after which it goes on as before;
    /// [`ClientError::NotRunning`] if the new program ended; and
    /// [`ClientError::Broken`] if it did not answer within [`REPLACE_TIME`].
    pub async fn replace(
        &self,
        program: &Path,
        args: &[String],
    ) -> Result<Vec<ServiceStatus>, ClientError> {
        let successor = Successor { program: program.to_owned(), args: args.to_vec() };
        let body = serde_json::to_vec(&successor).map_err(ClientError::broken)?;
        let (response, _connection) =
            self.0.request(Method::POST, "/v1/replace", Bytes::from(body)).await?;
        let status = response.status();
        // The connection breaks when the process is another program's.
        if let Ok(octets) = whole(response.into_body()).await {
            return Err(ClientError::refused(status.as_u16(), &octets));
        }
        let first_answer = async {
            match self.list().await {
                // Cut off in the middle: the new program has ended, or it
                // listens anew because it was told of another socket.
                Err(ClientError::Broken(_)) => self.list().await,
                other => other,
            }
        };
        let answer = tokio::time::timeout(REPLACE_TIME, first_answer).await;
        answer.unwrap_or_else(|_| {
            let seconds = REPLACE_TIME.as_secs();
            Err(ClientError::broken(format!("the new controller said nothing for {seconds} s")))
        })
    }
}
