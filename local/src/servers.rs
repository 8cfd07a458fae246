//! Ports, and the tasks that serve them.

use std::net::Ipv4Addr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::StackError;

/// Each task comes with the sender that stops it.
#[derive(Default)]
pub(crate) struct Servers(Vec<(oneshot::Sender<()>, JoinHandle<()>)>);

impl Servers {
    /// Starts a server. Its receiver resolves when the server must stop, or when the stack is dropped.
    pub(crate) fn add<S>(&mut self, serve: impl FnOnce(oneshot::Receiver<()>) -> S)
    where
        S: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        self.0.push((stop, tokio::spawn(serve(stopped))));
    }

    /// Stops the newest server first, because later ones need earlier ones.
    pub(crate) async fn stop(self) {
        for (stop, task) in self.0.into_iter().rev() {
            drop(stop);
            let _ = task.await;
        }
    }
}

pub(crate) async fn serve(listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    let stopped = async {
        let _ = stopped.await;
    };
    let _ = axum::serve(listener, router)
        .with_graceful_shutdown(stopped)
        .await;
}

/// Opens a port, and returns its URL too. Errors name `option` as the way to choose another one.
pub(crate) async fn listen(port: u16, option: &str) -> Result<(TcpListener, String), StackError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| {
            let what = format!("port {port} cannot be used (choose another one with {option})");
            StackError::new(&what, error)
        })?;
    let address = listener
        .local_addr()
        .map_err(|error| StackError::new("a port cannot be used", error))?;
    Ok((listener, format!("http://{address}")))
}
