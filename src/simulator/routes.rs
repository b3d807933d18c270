//! The endpoints: from an authorised request to a response in the vendor's envelope.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ids::ConversationId;
use crate::phone::E164;

use super::access::TokenDenied;
use super::bot_style;
use super::call::{PlaceCall, PlaceSms, StartRequest};
use super::conversation::{ConversationView, SimulatedStatus};
use super::envelope::{failure, success};
use super::medium::SimulatedMedium;
use super::request_context::RequestContext;
use super::rules::CallRefusal;
use super::seeded_rng::SeededRng;
use super::server_state::ServerState;
use super::settings::{DurationUnit, RefusedNumber, RowField, Settings, Statuses, Unfinished, Wording};
use super::world::{ListQuery, World};

type SharedState = State<Arc<ServerState>>;

/// Every endpoint, both at the root and under `/v1`.
pub(super) fn router(state: Arc<ServerState>) -> Router {
    let api = Router::new()
        .route("/calls", post(start_conversation::<PlaceCall>))
        .route("/sms", post(start_conversation::<PlaceSms>))
        .route("/conversations", get(list))
        .route("/conversations/{id}", get(conversation))
        .route("/conversations/{id}/messages", get(messages))
        .route("/conversations/{id}/close", post(close))
        .route("/phone-numbers", get(phone_numbers))
        .route("/bots", get(bots))
        .route("/oauth/token", post(token));
    Router::new()
        .nest("/v1", api.clone())
        .merge(api)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(state)
}

async fn no_such_path() -> Response {
    failure(StatusCode::NOT_FOUND, "no such endpoint")
}

async fn no_such_method() -> Response {
    failure(StatusCode::METHOD_NOT_ALLOWED, "this endpoint has no such method")
}

async fn start_conversation<R: StartRequest>(
    State(state): SharedState,
    Extension(context): Extension<RequestContext>,
    body: Bytes,
) -> Response {
    let settings = &state.settings;
    if let Some(refused) = settings.refused.iter().find(|refused| applies_to(refused, &body)) {
        return failure(StatusCode::from_u16(refused.status).unwrap_or(StatusCode::FORBIDDEN), &refused.message);
    }
    let placed = match R::read(&body) {
        Ok(request) => state.start_conversation(context, &request),
        Err(refusal) => Ok(Err(refusal)),
    };
    match placed {
        Ok(Ok(id)) => success(&settings.wording, json!({ "conversationId": id })),
        Ok(Err(refusal)) => failure(status_of(refusal, &settings.statuses), &refusal.to_string()),
        Err(_) => {
            failure(StatusCode::INSUFFICIENT_STORAGE, "the simulator cannot write its log, so no call was placed")
        }
    }
}

/// Whether the settings refuse the number that a request calls.
fn applies_to(refused: &RefusedNumber, body: &[u8]) -> bool {
    let called = || serde_json::from_slice::<Value>(body).ok()?.get("toNumber")?.as_str().map(str::to_owned);
    refused.to.is_none_or(|to| called().is_some_and(|called| called == to.expose()))
}

fn status_of(refusal: CallRefusal, statuses: &Statuses) -> StatusCode {
    let status = match refusal {
        CallRefusal::Malformed(_) => statuses.malformed,
        CallRefusal::Sending => StatusCode::CONFLICT.as_u16(),
        CallRefusal::FromNumber => statuses.from_number,
        CallRefusal::NotAllowed => statuses.not_allowed,
        CallRefusal::OutsideHours => statuses.outside_hours,
        CallRefusal::TooSoon | CallRefusal::WeekFull | CallRefusal::MonthFull => statuses.over_cap,
        CallRefusal::CoolingDown => statuses.cooling_down,
        CallRefusal::ConcurrentCalls => statuses.concurrent_calls,
    };
    StatusCode::from_u16(status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)
}

/// The query of `GET /conversations`. `includeArchived` and `includeChildren` have no effect: the simulator has neither
/// archived nor child conversations.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListParameters {
    offset: Option<u64>,
    limit: Option<u32>,
    org_id: Option<String>,
    bot_id: Option<String>,
    #[serde(rename = "includeArchived")]
    _include_archived: Option<bool>,
    #[serde(rename = "includeChildren")]
    _include_children: Option<bool>,
}

impl ListParameters {
    fn query(self) -> Option<ListQuery> {
        let defaults = ListQuery::default();
        let limit = self.limit.unwrap_or(defaults.limit);
        (1..=100).contains(&limit).then(|| ListQuery {
            offset: self.offset.unwrap_or(defaults.offset),
            limit,
            organisation: self.org_id,
            bot: self.bot_id,
        })
    }
}

async fn list(
    State(state): SharedState,
    Extension(context): Extension<RequestContext>,
    parameters: Result<Query<ListParameters>, QueryRejection>,
) -> Response {
    let Some(query) = parameters.ok().and_then(|Query(parameters)| parameters.query()) else {
        return failure(StatusCode::BAD_REQUEST, "offset is 0 or more, limit is 1 to 100");
    };
    let settings = &state.settings;
    state.with_world(|world| {
        if world.page_fails(&query) {
            return failure(StatusCode::INTERNAL_SERVER_ERROR, "internal error");
        }
        let page = world.list(context.now, &query);
        let conversations: Vec<_> =
            page.conversations.iter().map(|view| render_conversation(view, world, settings)).collect();
        let mut pagination = Map::from_iter([("limit".to_string(), json!(page.limit))]);
        pagination.extend(page.offset.map(|offset| ("offset".to_string(), json!(offset))));
        pagination.extend(page.total.map(|total| ("totalCount".to_string(), json!(total))));
        success(&settings.wording, json!({ "conversations": conversations, "pagination": pagination }))
    })
}

async fn conversation(
    State(state): SharedState,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<ConversationId>,
) -> Response {
    let settings = &state.settings;
    state.with_world(|world| {
        let view = world.conversation(context.now, &id);
        view.map_or_else(no_such_conversation, |view| {
            success(&settings.wording, render_conversation(&view, world, settings))
        })
    })
}

fn no_such_conversation() -> Response {
    failure(StatusCode::NOT_FOUND, "no such conversation")
}

async fn messages(
    State(state): SharedState,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<ConversationId>,
) -> Response {
    let messages = state.with_world(|world| world.messages(context.now, &id));
    let Some(messages) = messages else { return no_such_conversation() };
    let rendered = (1..).zip(messages).map(|(number, message)| {
        json!({
            "id": format!("{id}-{number}"),
            "content": message.content,
            "role": message.role,
            "conversationId": id,
            "createdAt": iso(message.at),
        })
    });
    success(&state.settings.wording, rendered.collect())
}

async fn close(
    State(state): SharedState,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<ConversationId>,
) -> Response {
    let status = state.with_world(|world| world.close(context.now, &id));
    let render = |status: SimulatedStatus| success(&state.settings.wording, json!({ "status": status.name() }));
    status.map_or_else(no_such_conversation, render)
}

async fn phone_numbers(State(state): SharedState) -> Response {
    let numbers: Vec<_> = state.with_world(|world| {
        let listed = |number: super::world::PhoneNumber| {
            json!({
                "id": number.id,
                "orgId": world.organisation(),
                "botId": world.bot(),
                "number": number.number.expose(),
                "name": "Front desk",
                "language": "en-US",
                "outbound": number.outbound,
                "verifiedCallerId": null,
                "callbackForwardingNumber": null,
            })
        };
        world.phone_numbers().into_iter().map(listed).collect()
    });
    success(&state.settings.wording, json!({ "phoneNumbers": numbers }))
}

async fn bots(State(state): SharedState) -> Response {
    let bots: Vec<_> = state.with_world(|world| {
        let listed = |bot: super::world::Bot| json!({ "id": bot.id, "orgId": world.organisation(), "name": bot.name });
        world.bots().into_iter().map(listed).collect()
    });
    success(&state.settings.wording, json!({ "bots": bots }))
}

async fn token(State(state): SharedState, Extension(context): Extension<RequestContext>, body: Bytes) -> Response {
    match state.issue_token(context.now, &body) {
        Ok(token) => Json(token).into_response(),
        Err(TokenDenied::NotARequest) => failure(StatusCode::BAD_REQUEST, "not a JSON request for client credentials"),
        Err(TokenDenied::UnknownClient) => failure(StatusCode::UNAUTHORIZED, "unknown client"),
    }
}

/// A conversation as the contract's JSON object, in the form of the settings.
fn render_conversation(view: &ConversationView, world: &World, settings: &Settings) -> Value {
    let wording = &settings.wording;
    let transcript = view.transcript.as_ref();
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() || wording.unfinished == Unfinished::Null {
            fields.insert(name.to_string(), value);
        }
    };
    let unless_missing =
        |field: RowField, value: Value| if view.missing_field == Some(field) { Value::Null } else { value };
    let number = |number: E164| json!(if wording.national_numbers { national(number) } else { number.expose() });
    put("conversationId", unless_missing(RowField::Id, json!(view.id)));
    put("conversationTags", transcript.map_or(Value::Null, |transcript| json!(transcript.tags)));
    put("orgId", json!(world.organisation()));
    put("medium", medium(view.medium, wording));
    put("botId", json!(world.bot()));
    put("toNumber", unless_missing(RowField::To, number(view.to)));
    put("fromNumber", unless_missing(RowField::From, number(view.from)));
    put("summary", transcript.map_or(Value::Null, |transcript| json!(transcript.summary)));
    put("actionsNeeded", transcript.map_or(Value::Null, |transcript| json!(transcript.actions)));
    put("topic", transcript.map_or(Value::Null, |transcript| json!(transcript.topic)));
    put("duration", view.duration.map_or(Value::Null, |duration| json!(in_unit(duration, wording.duration))));
    put("startTime", unless_missing(RowField::Start, json!(iso(view.started))));
    put("endTime", view.ended.map_or(Value::Null, |ended| json!(iso(ended))));
    put("status", json!(view.status.name()));
    if let (Some(style), Some(behaviour)) = (wording.bot_style, view.behaviour) {
        let mut rng = SeededRng::new(settings.seed).derive_text(view.id.as_str());
        put("conversationTags", json!(style.tags(behaviour)));
        put("summary", json!(bot_style::summary(behaviour, &mut rng)));
        put("topic", json!("Outbound call"));
        put("actionsNeeded", json!([]));
    }
    if wording.odd_fields {
        put("sentiment", json!({ "score": 0.5, "labels": [] }));
    }
    Value::Object(fields)
}

fn medium(medium: SimulatedMedium, wording: &Wording) -> Value {
    match medium {
        SimulatedMedium::Voice if wording.voice_medium.is_empty() => Value::Null,
        SimulatedMedium::Voice => json!(wording.voice_medium),
        SimulatedMedium::Sms => json!("SMS"),
        SimulatedMedium::Chat => json!("CHAT"),
        SimulatedMedium::Whatsapp => json!("WHATSAPP"),
        SimulatedMedium::Email => json!("EMAIL"),
        SimulatedMedium::Untold => Value::Null,
    }
}

/// `(312) 555-0142` for a North American number, E.164 for any other.
fn national(number: E164) -> String {
    number
        .north_american()
        .map_or_else(|| number.expose(), |parts| format!("({}) {}-{:04}", parts.area, parts.exchange, parts.subscriber))
}

fn in_unit(duration: TimeDelta, unit: DurationUnit) -> i64 {
    match unit {
        DurationUnit::Seconds => duration.num_seconds(),
        DurationUnit::Milliseconds => duration.num_milliseconds(),
    }
}

fn iso(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}
