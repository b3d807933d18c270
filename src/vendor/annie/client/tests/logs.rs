//! The client's log: the outline of each exchange, and nothing from its headers or bodies.

use std::io;
use std::sync::Mutex;

use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::entry::PatientInfo;

/// Collects everything that is logged while it is the subscriber's writer.
#[derive(Debug, Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("unpoisoned").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogBuffer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_log_has_outlines_and_no_contents() {
    let log_buffer = LogBuffer::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log_buffer.clone());
    let guard = tracing::subscriber::set_default(subscriber.with_ansi(false).finish());

    let refusal = r#"{"message":"toNumber +13125550143 of Ada is not on the allow-list"}"#;
    let behaviours = [answer(422, &["x-trace: tr4ce"], refusal), answer(404, &[], "{}")].map(Behaviour::Answer);
    let server = Server::playing(behaviours).await;
    let client = client(server.base());
    // Another test may have registered one of these log statements while no subscriber was set.
    tracing::callsite::rebuild_interest_cache();
    let patient = PatientInfo { first_name: "Ada".to_owned(), ..PatientInfo::default() };
    let content = CallContent { patient, ..call().content };
    assert!(matches!(client.place(CallRequest { content, ..call() }).await.value, Reply::NotPlaced(_)));
    assert_eq!(client.conversation(&ConversationId::new("c-0ne")).await.value, Err(ReadError::NotFound));
    drop(guard);

    let log = String::from_utf8(log_buffer.0.lock().expect("unpoisoned").clone()).expect("text");
    for outline in [r#"method=POST path="/calls" status=422"#, r#"method=GET path="/conversations/{id}" status=404"#] {
        assert!(log.contains(outline), "{outline} is missing of {log}");
    }
    for hidden in ["5550142", "5550143", "Ada", "mornings", "s3cret", "allow-list", "tr4ce", "c-0ne", "/v1/"] {
        assert!(!log.contains(hidden), "{hidden} is in {log}");
    }
}
