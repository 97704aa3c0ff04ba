//! Everything below `/webchat/<account>/`: the widget's files, its connection, history, uploads and media.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, FromRequestParts as _, Path, Request, State, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse as _, Response},
    routing::{any, get},
};
use heliograph_channel::{
    Account,
    host::{Accounts, Inlet, NoAccount, RouteContext},
};
use heliograph_runtime::Shutdown;
use serde_json::{Value, json};

use crate::{
    Shared, WebChat, WebChatSettings, assets,
    feed::Place,
    frame::{LARGEST, SUBPROTOCOL},
    session::{Session, Token},
    socket,
};

/// Entries one page of history has at most.
const PAGE: usize = 200;

/// What the handlers share.
pub(crate) struct Context {
    pub shared: Arc<Shared>,
    pub accounts: Accounts<WebChatSettings>,
    pub inlet: Inlet,
    pub shutdown: Shutdown,
}

type Handled = Result<Response, Refused>;

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(crate) struct Refused {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: &'static str,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message }
    }

    pub(crate) fn away(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(error, "a request of a widget cannot be served now");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "not available now; come again")
    }

    pub(crate) fn respond(&self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let mut response = json_response(self.status, &body);
        if self.status == StatusCode::SERVICE_UNAVAILABLE || self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// The channel's routes, for [`heliograph_channel::host::ChannelHost::routes`].
pub fn routes(context: RouteContext<WebChat>) -> Router {
    let RouteContext { channel, accounts, inlet, shutdown } = context;
    let context = Arc::new(Context { shared: Arc::clone(&channel.shared), accounts, inlet, shutdown });
    Router::new()
        .route("/webchat/{account}", get(to_demo))
        .route("/webchat/{account}/", get(to_demo))
        .route("/webchat/{account}/ws", any(connect))
        .route("/webchat/{account}/history", any(history))
        .route("/webchat/{account}/uploads", any(uploads))
        .route("/webchat/{account}/media/{id}", get(media))
        .route("/webchat/{account}/{file}", get(asset))
        .with_state(context)
}

impl Context {
    pub(crate) fn account(&self, name: &str) -> Result<Arc<Account<WebChatSettings>>, Refused> {
        self.accounts.by_path(name).map_err(|why| match why {
            NoAccount::Unknown => Refused::new(StatusCode::NOT_FOUND, why.code(), "there is no such account"),
            NoAccount::Loading => {
                Refused::new(StatusCode::SERVICE_UNAVAILABLE, why.code(), "starting; come again")
            }
            NoAccount::Disabled | NoAccount::Broken(_) => {
                Refused::new(StatusCode::SERVICE_UNAVAILABLE, why.code(), "the account is not usable now")
            }
        })
    }

    /// The session behind the bearer token.
    pub(crate) async fn bearer(
        &self,
        account: &Account<WebChatSettings>,
        headers: &HeaderMap,
    ) -> Result<Session, Refused> {
        let refused = || Refused::new(StatusCode::UNAUTHORIZED, "auth", "no token, or one that is not good");
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = shown.and_then(|value| value.strip_prefix("Bearer ")).and_then(Token::parse);
        let token = token.ok_or_else(refused)?;
        let session = self.shared.sessions.check(&account.tenant, &account.name, &token).await;
        session.map_err(|error| Refused::away(&error))?.ok_or_else(refused)
    }

    /// The client's address: the peer's, or what the given number of trusted proxies say.
    fn client(&self, parts: &Parts) -> Option<IpAddr> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let hops = self.shared.options.forwarded_hops;
        if hops == 0 {
            return peer;
        }
        let forwarded = parts.headers.get_all("x-forwarded-for").iter();
        let hosts: Vec<&str> =
            forwarded.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')).collect();
        let told = hosts.len().checked_sub(hops).and_then(|at| hosts[at].trim().parse().ok());
        told.or(peer)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The origin when pages of it may speak with this account.
fn origin(account: &Account<WebChatSettings>, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refused> {
    let given = headers.get(header::ORIGIN);
    let origin = given.map(|value| value.to_str().unwrap_or("?"));
    if account.settings.origins.allows(origin, text(headers, &header::HOST)) {
        return Ok(given.cloned());
    }
    tracing::info!(account = account.name, origin, "an origin is refused");
    Err(Refused::new(StatusCode::FORBIDDEN, "origin", "pages of this origin may not embed this account"))
}

/// The same for requests that a browser makes from such a page without the header: `GET` from the server's own pages.
fn same_origin_get(parts: &Parts) -> bool {
    parts.method == Method::GET
        && !parts.headers.contains_key(header::ORIGIN)
        && text(&parts.headers, &header::HeaderName::from_static("sec-fetch-site")) == Some("same-origin")
}

async fn connect(
    State(context): State<Arc<Context>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let account = match context.account(&name) {
        Ok(account) => account,
        Err(refused) => return refused.respond(),
    };
    if let Err(refused) = origin(&account, &parts.headers) {
        return refused.respond();
    }
    let from = context.client(&parts);
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade
            .protocols([SUBPROTOCOL])
            // A little above our own limit, so that it is we who answer, with a code that says what is wrong.
            .max_message_size(2 * LARGEST)
            .max_frame_size(2 * LARGEST)
            .on_upgrade(move |socket| socket::serve(socket, context, account, from)),
        Err(rejection) => rejection.into_response(),
    }
}

async fn history(
    State(context): State<Arc<Context>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    shared_with_pages(&context, &name, &parts, "GET", async |account| {
        let session = context.bearer(account, &parts.headers).await?;
        let asked = |wanted: &str| {
            let query = parts.uri.query().unwrap_or_default();
            let pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.into_iter().find(|(key, _)| key == wanted).and_then(|(_, value)| value.parse::<u64>().ok())
        };
        let before = asked("before").unwrap_or(u64::MAX);
        let limit = asked("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(50).clamp(1, PAGE);
        let place =
            Place { tenant: account.tenant.clone(), account: account.name.clone(), visitor: session.visitor };
        // One more than asked for tells whether there are more.
        let log = context.shared.hub.log();
        let mut entries =
            log.before(&place.subject(), before, limit + 1).await.map_err(|error| Refused::away(&error))?;
        let more = entries.len() > limit;
        if more {
            entries.pop_front();
        }
        let now_ms = heliograph_store::now_ms();
        let frame =
            |entry: &crate::item::Entry| entry.item.frame(&context.shared.links, &account.tenant, now_ms);
        let messages: Vec<Value> = entries.iter().map(frame).collect();
        Ok(json_response(StatusCode::OK, &json!({ "messages": messages, "more": more })))
    })
    .await
}

async fn uploads(
    State(context): State<Arc<Context>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    shared_with_pages(&context, &name, &parts, "POST", async |account| {
        let taken = crate::files::upload(&context, account, &parts, body).await;
        context.shared.metrics.upload(taken.as_ref().err().map_or("taken", |refused| refused.code));
        taken
    })
    .await
}

/// Answers a request that a page of an allowed origin makes, with the headers that let the page read the answer.
async fn shared_with_pages(
    context: &Context,
    name: &str,
    parts: &Parts,
    method: &'static str,
    handle: impl AsyncFnOnce(&Account<WebChatSettings>) -> Handled,
) -> Response {
    let account = match context.account(name) {
        Ok(account) => account,
        Err(refused) => return refused.respond(),
    };
    let origin = match origin(&account, &parts.headers) {
        Ok(origin) => origin,
        Err(_) if same_origin_get(parts) => None,
        Err(refused) => return refused.respond(),
    };
    let mut response = if parts.method == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(method));
        let allowed = HeaderValue::from_static("authorization, content-type");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        response
    } else if parts.method.as_str() == method {
        handle(&account).await.unwrap_or_else(|refused| refused.respond())
    } else {
        Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method", "the method is not served here").respond()
    };
    let headers = response.headers_mut();
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn media(
    State(context): State<Arc<Context>>,
    Path((name, id)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let account = match context.account(&name) {
        Ok(account) => account,
        Err(refused) => return refused.respond(),
    };
    let query = uri.query().unwrap_or_default();
    let given = context.shared.face.by_link(&account.tenant, &id, query, &headers).await;
    given.unwrap_or_else(|refused| refused.respond())
}

async fn asset(
    State(context): State<Arc<Context>>,
    Path((name, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = context.account(&name) {
        return refused.respond();
    }
    match assets::find(&file) {
        Some(asset) => asset.respond(&headers),
        None => {
            Refused::new(StatusCode::NOT_FOUND, "no_such_path", "nothing is served at this path").respond()
        }
    }
}

async fn to_demo(State(context): State<Arc<Context>>, Path(name): Path<String>) -> Response {
    match context.account(&name) {
        Ok(account) => {
            let target = format!("/webchat/{}/demo.html", account.name);
            let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
            if let Ok(target) = HeaderValue::from_str(&target) {
                response.headers_mut().insert(header::LOCATION, target);
            }
            response
        }
        Err(refused) => refused.respond(),
    }
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
