//! The client against local servers that misbehave in every way that a network can.

mod logs;
mod server;
mod tls;
mod tokens;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use self::server::{Behaviour, Server, answer};
use super::*;
use crate::clock::{ScaledClock, WallClock};
use crate::entry::CallContent;
use crate::vendor::{LostAnswer, RateHeaders, Status};

const ACCEPTED: &str = r#"{"success":true,"data":{"conversationId":"c-1"}}"#;

fn settings(base_url: String) -> ClientSettings {
    ClientSettings {
        base_url,
        timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(1),
        ..ClientSettings::new(Credentials::ApiKey(SecretString::from("annie-sk-v1-s3cret")))
    }
}

fn client(base_url: String) -> AnnieClient {
    AnnieClient::new(settings(base_url), Arc::new(WallClock)).expect("a client")
}

/// A timeout long enough for a busy machine, and short where no response will come.
fn timeout_for(behaviour: &Behaviour) -> Duration {
    Duration::from_millis(if matches!(behaviour, Behaviour::AnswerThenHang(_)) { 300 } else { 10_000 })
}

/// A client of a server that does `behaviour`.
fn client_of(server: &Server, behaviour: &Behaviour) -> AnnieClient {
    let settings = ClientSettings { timeout: timeout_for(behaviour), ..settings(server.base()) };
    AnnieClient::new(settings, Arc::new(WallClock)).expect("a client")
}

fn call() -> CallRequest {
    let number = |text| E164::parse(text).expect("a good number");
    let content = CallContent { context: Some("Prefers mornings.".to_owned()), ..CallContent::default() };
    CallRequest { from: number("+13125550142"), to: number("+13125550143"), content }
}

/// The response to one call to a server that does `behaviour`. Asserts that the server got one request.
async fn placed(behaviour: Behaviour) -> Response<Reply> {
    let server = Server::playing([behaviour.clone()]).await;
    let answer = client_of(&server, &behaviour).place(call()).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(server.seen().len(), 1, "one attempt is one request");
    answer
}

#[tokio::test]
async fn an_accepted_call_is_one_request_as_the_contract_has_it() {
    let server = Server::playing([Behaviour::Answer(answer(200, &[], ACCEPTED))]).await;
    let answer = client(server.base()).place(call()).await;
    assert_eq!(answer.value, Reply::Accepted(ConversationId::new("c-1")));
    let [request] = <[String; 1]>::try_from(server.seen()).expect("one request");
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    assert!(head.starts_with("POST /v1/calls HTTP/1.1\r\n"), "{head}");
    for header in
        ["authorization: Bearer annie-sk-v1-s3cret", "content-type: application/json", "user-agent: callrounds/"]
    {
        assert!(head.contains(header), "{header} is missing of {head}");
    }
    assert_eq!(body, r#"{"fromNumber":"+13125550142","toNumber":"+13125550143","context":"Prefers mornings."}"#);
}

#[tokio::test]
async fn a_connection_that_was_never_established_placed_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    for base in [format!("http://{address}/v1"), "https://no-such-host.invalid/v1".to_owned()] {
        let answer = client(base).place(call()).await;
        assert_eq!(answer, Response::bare(Reply::NotPlaced(NotPlaced::NeverConnected)));
    }
}

#[tokio::test]
async fn each_call_has_its_own_connection_although_the_server_would_keep_it() {
    // A second request on a kept connection would wait forever.
    let server = Server::playing([Behaviour::AnswerThenHang(answer(200, &[], ACCEPTED))]).await;
    let client = client(server.base());
    for _ in 0..3 {
        assert_eq!(client.place(call()).await.value, Reply::Accepted(ConversationId::new("c-1")));
    }
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn any_failure_after_connecting_is_a_lost_answer() {
    let whole = answer(200, &[], ACCEPTED);
    let half = whole[..whole.len() - 20].to_vec();
    let head = whole[..20].to_vec();
    for (behaviour, lost) in [
        (Behaviour::ResetUnread, LostAnswer::Broken),
        (Behaviour::Reset, LostAnswer::Broken),
        (Behaviour::Answer(vec![]), LostAnswer::Broken),
        (Behaviour::Answer(head.clone()), LostAnswer::Broken),
        (Behaviour::Answer(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()), LostAnswer::Broken),
        (Behaviour::AnswerThenHang(vec![]), LostAnswer::Timeout),
        (Behaviour::AnswerThenHang(head), LostAnswer::Timeout),
        (Behaviour::AnswerThenHang(half.clone()), LostAnswer::Timeout),
        (Behaviour::Answer(half.clone()), LostAnswer::Unreadable),
        (Behaviour::AnswerThenReset(half), LostAnswer::Unreadable),
    ] {
        assert_eq!(placed(behaviour.clone()).await.value, Reply::Lost(lost), "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_2xx_that_cannot_be_read_is_a_lost_answer() {
    let long =
        format!(r#"{{"success":true,"data":{{"conversationId":"c-1"}},"more":"{}"}}"#, "x".repeat(MAX_REPLY_BYTES));
    for body in ["", "{", "OK", r#"{"success":true,"data":{}}"#, r#"{"success":true,"data":null}"#, &long] {
        let reply = placed(Behaviour::Answer(answer(200, &[], body))).await.value;
        assert_eq!(reply, Reply::Lost(LostAnswer::Unreadable), "{}", &body[..body.len().min(80)]);
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let mut endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..50 {
        endless.extend_from_slice(format!("10000\r\n{}\r\n", "x".repeat(0x10000)).as_bytes());
    }
    let reply = placed(Behaviour::Answer(endless)).await.value;
    assert_eq!(reply, Reply::Lost(LostAnswer::Unreadable));
}

#[tokio::test]
async fn redirects_and_server_errors_are_neither_followed_nor_repeated() {
    for status in [301, 302, 303, 307, 308, 408, 409, 425, 500, 502, 503, 504] {
        let other_server = Server::playing([Behaviour::Answer(answer(200, &[], ACCEPTED))]).await;
        let location = format!("location: {}/calls", other_server.base());
        let reply = placed(Behaviour::Answer(answer(status, &[&location], ACCEPTED))).await.value;
        assert_eq!(reply, Reply::Lost(LostAnswer::Status(status)));
        assert_eq!(other_server.seen(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn refusals_are_not_repeated_and_placed_nothing() {
    for (status, message, concern) in [
        (400, "", Concern::Unknown),
        (401, "", Concern::Credentials),
        (403, "fromNumber is not outbound", Concern::CallerId),
        (422, "Outside legal hours", Concern::Hours),
        (422, "24 hours between attempts", Concern::Cap),
    ] {
        let body = serde_json::json!({ "success": false, "message": message }).to_string();
        let reply = placed(Behaviour::Answer(answer(status, &[], &body))).await.value;
        let refused = Refused { message: message.into(), ..Refused::bare(status, concern) };
        assert_eq!(reply, Reply::NotPlaced(NotPlaced::Refused(refused)));
    }
    let reply = placed(Behaviour::Answer(answer(429, &[], ""))).await.value;
    assert_eq!(reply, Reply::NotPlaced(NotPlaced::RateLimited));
}

#[tokio::test]
async fn a_refusal_counts_even_if_its_body_breaks() {
    let whole = answer(422, &[], r#"{"message":"Outside legal hours"}"#);
    let reply = placed(Behaviour::AnswerThenReset(whole[..whole.len() - 5].to_vec())).await.value;
    assert_eq!(reply, Reply::NotPlaced(NotPlaced::refused(422, Concern::Unknown)));
}

#[tokio::test]
async fn the_headers_come_with_the_response() {
    let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().expect("an instant");
    for (retry, at) in [
        (Some("retry-after: 20"), Some(20)),
        (Some("retry-after: Tue, 24 Nov 2026 12:00:45 GMT"), Some(45)),
        (Some("retry-after: soon"), None),
        (None, None),
    ] {
        let headers = ["x-ratelimit-limit: 60", "x-ratelimit-remaining: 0", "date: Tue, 24 Nov 2026 12:00:00 GMT"];
        let headers: Vec<_> = headers.into_iter().chain(retry).collect();
        let server = Server::playing([Behaviour::Answer(answer(429, &headers, ""))]).await;
        // A clock that practically stands still during this test.
        let clock = Arc::new(ScaledClock::starting_at(now, 1e-9));
        let client = AnnieClient::new(settings(server.base()), clock).expect("a client");
        let answer = client.place(call()).await;
        assert_eq!(answer.date, Some(now));
        let rate_headers = RateHeaders {
            limit: Some(60),
            remaining: Some(0),
            reset: None,
            retry_at: at.map(|seconds| now + TimeDelta::seconds(seconds)),
            exhausted: true,
        };
        assert_eq!(answer.rate_headers, rate_headers, "{retry:?}");
    }
}

#[tokio::test]
async fn pages_and_conversations_are_read() {
    let conversation = r#"{"conversationId":"c-1","status":"CLOSED"}"#;
    let page =
        format!(r#"{{"success":true,"data":{{"conversations":[{conversation}],"pagination":{{"totalCount":1}}}}}}"#);
    let single = format!(r#"{{"success":true,"data":{conversation}}}"#);
    let numbers = r#"{"success":true,"data":{"phoneNumbers":[{"number":"+13125550142","outbound":true}]}}"#;
    let behaviours = [&page, &single, numbers].map(|body| Behaviour::Answer(answer(200, &["connection: close"], body)));
    let server = Server::playing(behaviours).await;
    let client = client(server.base());
    let page = client.page(200, 500).await.value.expect("a page");
    assert_eq!((page.conversations.len(), page.rows_without_id.len(), page.total), (1, 0, Some(1)));
    let id = ConversationId::new("c-1");
    assert_eq!(client.conversation(&id).await.value.map(|read| read.status), Ok(Status::Closed));
    assert_eq!(client.may_call_from(call().from).await.value, Ok(Some(true)));
    let lines: Vec<_> =
        server.seen().iter().map(|request| request.lines().next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        lines,
        [
            "GET /v1/conversations?offset=200&limit=100&includeArchived=true HTTP/1.1",
            "GET /v1/conversations/c-1 HTTP/1.1",
            "GET /v1/phone-numbers HTTP/1.1"
        ]
    );
}

#[tokio::test]
async fn a_failed_read_says_why() {
    let page = |status| Behaviour::Answer(answer(status, &[], "{}"));
    for (behaviour, why) in [
        (page(200), ReadError::Unreadable),
        (page(401), ReadError::Unauthorised(401)),
        (page(403), ReadError::Unauthorised(403)),
        (page(404), ReadError::NotFound),
        (page(429), ReadError::RateLimited),
        (page(307), ReadError::Status(307)),
        (page(500), ReadError::Status(500)),
        (Behaviour::Reset, ReadError::NoAnswer),
        (Behaviour::AnswerThenHang(vec![]), ReadError::NoAnswer),
        (Behaviour::Answer(answer(200, &[], &"x".repeat(MAX_PAGE_BYTES + 1))), ReadError::TooLong),
    ] {
        let server = Server::playing([behaviour.clone()]).await;
        let read = client_of(&server, &behaviour).conversation(&ConversationId::new("c-1")).await;
        assert_eq!(read.value, Err(why));
        assert_eq!(server.seen().len(), 1, "an API key cannot be renewed");
    }
}

#[tokio::test]
async fn an_id_stays_one_path_segment_or_no_request_is_sent() {
    let server = Server::playing([Behaviour::Answer(answer(404, &[], ""))]).await;
    let client = client(server.base());
    for id in ["..", ".", "", "../../admin?x=y#z"] {
        assert_eq!(client.conversation(&ConversationId::new(id)).await.value, Err(ReadError::NotFound), "{id}");
    }
    let [request] = <[String; 1]>::try_from(server.seen()).expect("one request");
    assert!(request.starts_with("GET /v1/conversations/..%2F..%2Fadmin%3Fx=y%23z HTTP/1.1"), "{request}");
}

#[test]
fn settings_that_would_expose_patients_are_refused() {
    for (base, expected) in [
        ("http://api.helloannie.com/v1", "the API's address: plain http is for addresses on this machine only"),
        ("https://me:s3cret@api.helloannie.com/v1", "the API's address: must not have a user name"),
        ("annie", "the API's address: not an address in the form https://api.example.com/v1"),
    ] {
        let problem = AnnieClient::new(settings(base.to_owned()), Arc::new(WallClock)).expect_err(expected).to_string();
        assert!(problem.starts_with(expected), "{problem}");
        assert!(!problem.contains("s3cret"));
    }
}

#[tokio::test]
async fn a_client_shows_no_key() {
    let client = client("http://127.0.0.1:9/v1".to_owned());
    assert!(!format!("{client:?}").contains("s3cret"), "{client:?}");
}
