//! Calls as jobs of apalis-sqlite: enqueued first, then placed by one worker with several jobs in flight. Prints calls a second,
//! and the number of commits that changed something: each is one sync of the log.
//!
//! apalis takes jobs in batches, and commits each batch before its first job starts. It commits that jobs run, and that they
//! are done, with their results, in groups, once the batch is used up. No job waits for that commit, but the worker ends only
//! after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteStorage};
use futures_util::stream;
use reqwest::{Client, redirect};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The job.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Call {
    to: String,
}

/// Where calls are placed.
#[derive(Debug, Clone)]
struct Vendor {
    client: Client,
    url: String,
}

impl Vendor {
    fn at(base_url: &str) -> Result<Self, BoxDynError> {
        // As in callrounds: each call on a new connection, so that it is not sent twice.
        let client =
            Client::builder().no_proxy().redirect(redirect::Policy::none()).pool_max_idle_per_host(0).build()?;
        Ok(Self { client, url: format!("{base_url}/calls") })
    }

    async fn place(&self, call: &Call) -> Result<String, BoxDynError> {
        let body = json!({
            "fromNumber": "+13125550142",
            "toNumber": call.to,
            "patientInfo": { "firstName": "Pat", "patientId": "P-1" },
            "context": "Pat is due for a cleaning; last visit in May 2026. Prefers mornings.",
        });
        let answer: Value = self.client.post(&self.url).json(&body).send().await?.json().await?;
        Ok(answer["data"]["conversationId"].as_str().ok_or("an answer without a conversation")?.to_owned())
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let [base_url, calls, in_flight, path] = words.as_slice() else {
        return Err("an address, how many calls, how many at once, and a file".into());
    };
    let (calls, in_flight) = (calls.parse()?, in_flight.parse()?);
    enqueue(path, calls).await?;
    let commits = Arc::default();
    let pool = opened(path, &commits).await?;
    let before = commits.load(Ordering::Relaxed);
    let started = Instant::now();
    work_off(&pool, Vendor::at(base_url)?, calls, in_flight).await?;
    let took = started.elapsed().as_secs_f64();
    let syncs = commits.load(Ordering::Relaxed) - before;
    ensure_all_kept(&pool, calls).await?;
    println!("{} {syncs}", f64::from(calls) / took);
    Ok(())
}

/// Opens the queue; every commit that changes something is counted.
async fn opened(path: &str, commits: &Arc<AtomicU32>) -> Result<SqlitePool, BoxDynError> {
    let commits = Arc::clone(commits);
    // apalis reads and writes sequentially for a worker: a second connection would idle.
    let pool = SqlitePoolOptions::new().max_connections(1).after_connect(move |connection, _| {
        let commits = Arc::clone(&commits);
        Box::pin(async move {
            connection.lock_handle().await?.set_commit_hook(move || {
                commits.fetch_add(1, Ordering::Relaxed);
                true
            });
            Ok(())
        })
    });
    let file = SqliteConnectOptions::new().filename(path).create_if_missing(true).pragma("synchronous", "FULL");
    let pool = pool.connect_with(file).await?;
    SqliteStorage::setup(&pool).await?;
    // `setup` turns syncs off, and selects the write-ahead log.
    sqlx::query("PRAGMA synchronous = FULL").execute(&pool).await?;
    let modes = sqlx::query_as("SELECT journal_mode, synchronous FROM pragma_journal_mode, pragma_synchronous");
    let modes: (String, i64) = modes.fetch_one(&pool).await?;
    if modes == ("wal".to_owned(), 2) { Ok(pool) } else { Err(format!("not durable: {modes:?}").into()) }
}

/// Enqueues the calls before the worker starts, as another program would. The worker's `setup`, which runs `PRAGMA optimize`,
/// then has statistics of a full queue. Without them SQLite scans all jobs that the worker ever took for each finished one:
/// a quarter of the calls a second with 2,000 jobs, a fiftieth with 20,000.
async fn enqueue(path: &str, calls: u32) -> Result<(), BoxDynError> {
    let pool = opened(path, &Arc::default()).await?;
    // One attempt: by default, apalis would place a failed call again.
    let job = |n| TaskBuilder::new(Call { to: format!("+1312{}", 2_000_000 + n) }).max_attempts(1).build();
    SqliteStorage::new(&pool).with_config(Config::default()).push_all(stream::iter((0..calls).map(job))).await?;
    pool.close().await;
    Ok(())
}

/// Places the calls with a worker for several jobs at once, as in apalis' documentation.
async fn work_off(pool: &SqlitePool, vendor: Vendor, calls: u32, in_flight: usize) -> Result<(), BoxDynError> {
    // The batch size is the number of jobs in flight. With apalis' default of ten it is half as fast, because it commits more
    // often; with more, jobs would be marked as taken before they can run. There is no polling interval: while there are jobs,
    // the next batch is fetched as soon as the last is used up.
    let config = Config::default().batch_size(in_flight);
    let worker = WorkerBuilder::new("calls")
        .backend(SqliteStorage::<Call>::new(pool).with_config(config))
        .concurrency(in_flight)
        .parallelize(tokio::spawn)
        .data(vendor)
        .data(Arc::new(AtomicU32::new(calls)))
        .on_event(|_, event| {
            if let Event::Error(error) = event {
                eprintln!("{error}");
            }
        })
        .build(place);
    Ok(worker.run().await?)
}

/// One job. After the last job or a failed one, it stops the worker, which would otherwise wait for more jobs.
async fn place(
    call: Call,
    vendor: Data<Vendor>,
    left: Data<Arc<AtomicU32>>,
    worker: WorkerContext,
) -> Result<String, BoxDynError> {
    let answer = vendor.place(&call).await;
    if left.fetch_sub(1, Ordering::Relaxed) == 1 || answer.is_err() {
        worker.stop()?;
    }
    answer
}

async fn ensure_all_kept(pool: &SqlitePool, calls: u32) -> Result<(), BoxDynError> {
    let done = sqlx::query_scalar("SELECT count(*) FROM Jobs WHERE status = 'Done' AND last_result IS NOT NULL");
    let done: u32 = done.fetch_one(pool).await?;
    if done == calls { Ok(()) } else { Err(format!("{done} of {calls} calls are done").into()) }
}
