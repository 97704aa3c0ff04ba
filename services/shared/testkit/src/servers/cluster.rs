//! NATS servers that are one broker: streams with copies, a leader for each, and nodes that may be killed.

use super::{NatsOptions, NatsServer, ServerError, server::free_port};

/// A JetStream cluster on this machine; one node is a plain server.
#[derive(Debug)]
pub struct NatsCluster {
    nodes: Vec<NatsServer>,
}

impl NatsCluster {
    /// Starts `size` nodes. The cluster elects its leaders after that: what needs them is to be tried again until it works.
    pub async fn start(size: usize) -> Result<Self, ServerError> {
        let ports: Vec<u16> = (0..size).map(|_| free_port()).collect();
        let routes: Vec<String> = ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let routes = routes.join(", ");
        let mut nodes = Vec::with_capacity(size);
        for port in &ports {
            let extra = if size == 1 {
                String::new()
            } else {
                format!(
                    "cluster {{\n  name: \"heliograph\"\n  listen: \"127.0.0.1:{port}\"\n  routes: [{routes}]\n}}"
                )
            };
            nodes.push(NatsServer::start_with(NatsOptions { extra, ..NatsOptions::default() }).await?);
        }
        Ok(Self { nodes })
    }

    /// Every node's URL, with commas between them.
    pub fn url(&self) -> String {
        self.nodes.iter().map(NatsServer::url).collect::<Vec<_>>().join(",")
    }

    /// The nodes, to be killed and restarted.
    pub fn nodes(&mut self) -> &mut [NatsServer] {
        &mut self.nodes
    }
}
