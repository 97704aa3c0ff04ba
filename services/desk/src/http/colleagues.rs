//! `GET /desk/api/colleagues`: who may be asked about a conversation, and to whom it can be passed on.

use std::collections::{BTreeMap, BTreeSet};

use axum::{extract::State, response::Response};
use heliograph_domain::resources::Spec;
use heliograph_proto::v1::{AgentView, Presence, QueueView};
use heliograph_store::resources::Snapshot;
use http::StatusCode;
use serde::Serialize;

use super::{Signed, Web, policy::fresh, refuse};
use crate::auth;

/// Everybody and every queue, as far as they matter to a colleague.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Colleagues {
    agents: Vec<Colleague>,
    queues: Vec<Queue>,
    /// Skills that somebody has.
    skills: BTreeSet<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Colleague {
    name: String,
    display_name: String,
    /// `online`, `away`, `offline`.
    presence: &'static str,
    /// How much of what they can carry they carry: 0 to 1000.
    occupancy: i32,
    queues: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    name: String,
    display_name: String,
    waiting: i32,
    agents_online: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_wait_seconds: Option<i32>,
    open: bool,
}

pub(super) async fn get(State(web): State<Web>, Signed(identity): Signed) -> Response {
    let tenant = identity.tenant.as_str();
    let pool = match web.shared.routing.pool(tenant).await {
        Ok(pool) => pool,
        Err(error) => {
            tracing::debug!(tenant, %error, "colleagues cannot be told");
            let text = "who is there cannot be told now; try again";
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "routing_away", text);
        }
    };
    let resources = web.shared.users.resources.snapshot();
    let mut skills = BTreeSet::new();
    let mut agents = Vec::new();
    for agent in pool.agents {
        let Some(spec) = auth::agent(&resources, tenant, &agent.name) else { continue };
        skills.extend(spec.all_skills().into_keys());
        if agent.name != identity.agent {
            agents.push(colleague(agent, &spec.display_name));
        }
    }
    let names = queue_names(&resources, tenant);
    let queues = pool.queues.into_iter().map(|view| queue(view, &names)).collect();
    fresh(&Colleagues { agents, queues, skills })
}

fn colleague(agent: AgentView, display_name: &str) -> Colleague {
    let presence = match agent.presence() {
        Presence::Online => "online",
        Presence::Away => "away",
        Presence::Offline | Presence::Unspecified => "offline",
    };
    let AgentView { name, occupancy, queues, .. } = agent;
    Colleague { name, display_name: display_name.to_owned(), presence, occupancy, queues }
}

fn queue(view: QueueView, names: &BTreeMap<String, String>) -> Queue {
    let QueueView { name, waiting, agents_online, estimated_wait_seconds, opens_at, .. } = view;
    let display_name = names.get(&name).cloned().unwrap_or_default();
    Queue { name, display_name, waiting, agents_online, estimated_wait_seconds, open: opens_at.is_none() }
}

/// What people call the tenant's queues.
fn queue_names(resources: &Snapshot, tenant: &str) -> BTreeMap<String, String> {
    let mine = resources.iter().filter(|stored| stored.resource.metadata.tenant == tenant);
    let named = mine.filter_map(|stored| match &stored.resource.spec {
        Spec::Queue(spec) => Some((stored.resource.metadata.name.clone(), spec.display_name.clone())),
        _ => None,
    });
    named.collect()
}
