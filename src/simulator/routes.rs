//! The endpoints: from a request that is let in to an answer in the vendor's envelope.

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

use super::access::NoToken;
use super::call::{PlaceCall, PlaceSms, Request};
use super::conversation::{Medium, Status, View};
use super::rules::Refusal;
use super::settings::{DurationUnit, Field, RefusedNumber, Settings, Statuses, Unfinished, Wording};
use super::vendor::Vendor;
use super::world::{ListQuery, World};

/// What the server has found out about a request before its endpoint sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// When the request is acted upon.
    pub(super) now: DateTime<Utc>,
    /// The fault that will hit the answer.
    pub(super) fault: Option<&'static str>,
}

type Shared = State<Arc<Vendor>>;

/// Every endpoint, both at the root and under `/v1`.
pub(super) fn router(vendor: Arc<Vendor>) -> Router {
    let api = Router::new()
        .route("/calls", post(begin::<PlaceCall>))
        .route("/sms", post(begin::<PlaceSms>))
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
        .with_state(vendor)
}

/// Whether a path is the token endpoint's, which needs no token and has no budget.
pub(super) fn is_token_path(path: &str) -> bool {
    path.strip_prefix("/v1").unwrap_or(path) == "/oauth/token"
}

/// Whether a path is the calls endpoint's.
pub(super) fn is_calls_path(path: &str) -> bool {
    path.strip_prefix("/v1").unwrap_or(path) == "/calls"
}

/// An answer that brings something.
fn success(wording: &Wording, data: Value) -> Response {
    let mut envelope = Map::from_iter([("success".to_string(), Value::Bool(true)), ("data".to_string(), data)]);
    if wording.odd_fields {
        envelope.insert("apiRevision".to_string(), json!({ "major": 1, "flags": ["unannounced"] }));
    }
    Json(envelope).into_response()
}

/// An answer that brings nothing.
pub(super) fn failure(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "success": false, "data": null, "message": message }))).into_response()
}

async fn no_such_path() -> Response {
    failure(StatusCode::NOT_FOUND, "no such endpoint")
}

async fn no_such_method() -> Response {
    failure(StatusCode::METHOD_NOT_ALLOWED, "this endpoint has no such method")
}

async fn begin<R: Request>(State(vendor): Shared, Extension(moment): Extension<Moment>, body: Bytes) -> Response {
    let settings = &vendor.settings;
    if let Some(refused) = settings.refused.iter().find(|refused| is_for(refused, &body)) {
        return failure(StatusCode::from_u16(refused.status).unwrap_or(StatusCode::FORBIDDEN), &refused.message);
    }
    let placed = match R::read(&body) {
        Ok(request) => vendor.begin(moment, &request),
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

/// Whether the number that a request names is refused.
fn is_for(refused: &RefusedNumber, body: &[u8]) -> bool {
    let named = || serde_json::from_slice::<Value>(body).ok()?.get("toNumber")?.as_str().map(str::to_owned);
    refused.to.is_none_or(|to| named().is_some_and(|named| named == to.expose()))
}

fn status_of(refusal: Refusal, statuses: &Statuses) -> StatusCode {
    let status = match refusal {
        Refusal::Malformed(_) => statuses.malformed,
        Refusal::Sending => StatusCode::CONFLICT.as_u16(),
        Refusal::FromNumber => statuses.from_number,
        Refusal::NotAllowed => statuses.not_allowed,
        Refusal::OutsideHours => statuses.outside_hours,
        Refusal::TooSoon | Refusal::WeekFull | Refusal::MonthFull => statuses.over_cap,
        Refusal::CoolingDown => statuses.cooling_down,
    };
    StatusCode::from_u16(status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)
}

/// The query of `GET /conversations`. `includeArchived` and `includeChildren` change nothing here: there is no archive
/// and there are no children.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    offset: Option<u64>,
    limit: Option<u32>,
    org_id: Option<String>,
    bot_id: Option<String>,
    #[serde(rename = "includeArchived")]
    _include_archived: Option<bool>,
    #[serde(rename = "includeChildren")]
    _include_children: Option<bool>,
}

impl Asked {
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
    State(vendor): Shared,
    Extension(moment): Extension<Moment>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Some(query) = asked.ok().and_then(|Query(asked)| asked.query()) else {
        return failure(StatusCode::BAD_REQUEST, "offset is 0 or more, limit is 1 to 100");
    };
    let settings = &vendor.settings;
    vendor.with_world(|world| {
        if world.fails(&query) {
            return failure(StatusCode::INTERNAL_SERVER_ERROR, "internal error");
        }
        let page = world.list(moment.now, &query);
        let conversations: Vec<_> = page.conversations.iter().map(|view| told(view, world, settings)).collect();
        let mut pagination = Map::from_iter([("limit".to_string(), json!(page.limit))]);
        pagination.extend(page.offset.map(|offset| ("offset".to_string(), json!(offset))));
        pagination.extend(page.total.map(|total| ("totalCount".to_string(), json!(total))));
        success(&settings.wording, json!({ "conversations": conversations, "pagination": pagination }))
    })
}

async fn conversation(
    State(vendor): Shared,
    Extension(moment): Extension<Moment>,
    Path(id): Path<ConversationId>,
) -> Response {
    let settings = &vendor.settings;
    vendor.with_world(|world| {
        let view = world.conversation(moment.now, &id);
        view.map_or_else(no_such_conversation, |view| success(&settings.wording, told(&view, world, settings)))
    })
}

fn no_such_conversation() -> Response {
    failure(StatusCode::NOT_FOUND, "no such conversation")
}

async fn messages(
    State(vendor): Shared,
    Extension(moment): Extension<Moment>,
    Path(id): Path<ConversationId>,
) -> Response {
    let said = vendor.with_world(|world| world.messages(moment.now, &id));
    let Some(said) = said else { return no_such_conversation() };
    let lines = (1..).zip(said).map(|(number, message)| {
        json!({
            "id": format!("{id}-{number}"),
            "content": message.content,
            "role": message.role,
            "conversationId": id,
            "createdAt": iso(message.at),
        })
    });
    success(&vendor.settings.wording, lines.collect())
}

async fn close(
    State(vendor): Shared,
    Extension(moment): Extension<Moment>,
    Path(id): Path<ConversationId>,
) -> Response {
    let status = vendor.with_world(|world| world.close(moment.now, &id));
    let said = |status: Status| success(&vendor.settings.wording, json!({ "status": status.name() }));
    status.map_or_else(no_such_conversation, said)
}

async fn phone_numbers(State(vendor): Shared) -> Response {
    let numbers: Vec<_> = vendor.with_world(|world| {
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
    success(&vendor.settings.wording, json!({ "phoneNumbers": numbers }))
}

async fn bots(State(vendor): Shared) -> Response {
    let bots: Vec<_> = vendor.with_world(|world| {
        let listed = |bot: super::world::Bot| json!({ "id": bot.id, "orgId": world.organisation(), "name": bot.name });
        world.bots().into_iter().map(listed).collect()
    });
    success(&vendor.settings.wording, json!({ "bots": bots }))
}

async fn token(State(vendor): Shared, Extension(moment): Extension<Moment>, body: Bytes) -> Response {
    match vendor.issue(moment.now, &body) {
        Ok(token) => Json(token).into_response(),
        Err(NoToken::NotARequest) => failure(StatusCode::BAD_REQUEST, "not a JSON request for client credentials"),
        Err(NoToken::UnknownClient) => failure(StatusCode::UNAUTHORIZED, "unknown client"),
    }
}

/// A conversation in the contract's words.
fn told(view: &View, world: &World, settings: &Settings) -> Value {
    let wording = &settings.wording;
    let story = view.story.as_ref();
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() || wording.unfinished == Unfinished::Null {
            fields.insert(name.to_string(), value);
        }
    };
    let unless = |field: Field, value: Value| if view.lacks == Some(field) { Value::Null } else { value };
    let number = |number: E164| json!(if wording.national_numbers { national(number) } else { number.expose() });
    put("conversationId", unless(Field::Id, json!(view.id)));
    put("conversationTags", story.map_or(Value::Null, |story| json!(story.tags)));
    put("orgId", json!(world.organisation()));
    put("medium", medium(view.medium, wording));
    put("botId", json!(world.bot()));
    put("toNumber", unless(Field::To, number(view.to)));
    put("fromNumber", unless(Field::From, number(view.from)));
    put("summary", story.map_or(Value::Null, |story| json!(story.summary)));
    put("actionsNeeded", story.map_or(Value::Null, |story| json!(story.actions)));
    put("topic", story.map_or(Value::Null, |story| json!(story.topic)));
    put("duration", view.duration.map_or(Value::Null, |duration| json!(in_unit(duration, wording.duration))));
    put("startTime", unless(Field::Start, json!(iso(view.started))));
    put("endTime", view.ended.map_or(Value::Null, |ended| json!(iso(ended))));
    put("status", json!(view.status.name()));
    if wording.odd_fields {
        put("sentiment", json!({ "score": 0.5, "labels": [] }));
    }
    Value::Object(fields)
}

fn medium(medium: Medium, wording: &Wording) -> Value {
    match medium {
        Medium::Voice if wording.voice_medium.is_empty() => Value::Null,
        Medium::Voice => json!(wording.voice_medium),
        Medium::Sms => json!("SMS"),
        Medium::Chat => json!("CHAT"),
        Medium::Whatsapp => json!("WHATSAPP"),
        Medium::Email => json!("EMAIL"),
        Medium::Untold => Value::Null,
    }
}

/// `(312) 555-0142`, where it is a North American number.
fn national(number: E164) -> String {
    number
        .north_american()
        .map_or_else(|| number.expose(), |parts| format!("({}) {}-{:04}", parts.area, parts.exchange, parts.line))
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
