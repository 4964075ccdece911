//! `/metrics` for the operator's collector: numbers of the relay and how much is open, as OpenMetrics. No name, key or
//! address is in it; the only label is a worker's number.

use std::fmt;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use sfu::counters::Counter;
use signaling::message::StorageState;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::http::App;
use crate::media::{Media, WorkerCounters};

/// What the text is, by the crate that writes it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers on `listener` until the server stops.
pub(crate) async fn publish(
    listener: TcpListener,
    app: App,
    media: Media,
    mut stopping: watch::Receiver<bool>,
) {
    let answer = move || {
        let (app, media) = (app.clone(), media.clone());
        async move { respond(&app, &media).await }
    };
    let router = Router::new().route("/metrics", get(answer));
    let stopped = async move {
        // Its other end goes with the server.
        _ = stopping.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
        tracing::error!(kind = ?error.kind(), "counters are no longer published");
    }
}

async fn respond(app: &App, media: &Media) -> Response {
    let reading = Reading {
        workers: media.counters().await,
        calls: app.calls.live().await,
        records: app.records.running(),
        storage: app.store.state(),
    };
    let mut registry = Registry::with_prefix("mortar");
    registry.register_collector(Box::new(reading));
    let mut body = String::new();
    match text::encode(&mut body, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS)], body).into_response(),
        // A `String` refuses nothing.
        Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What stands at the moment of asking.
#[derive(Debug)]
struct Reading {
    workers: Vec<WorkerCounters>,
    calls: usize,
    records: usize,
    storage: StorageState,
}

impl Collector for Reading {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let of = |counters: fn(&WorkerCounters) -> Vec<Counter>| -> Vec<Vec<Counter>> {
            self.workers.iter().map(counters).collect()
        };
        family(&mut encoder, "relay", &of(|worker| worker.relay.each().collect()))?;
        family(&mut encoder, "send", &of(|worker| worker.send.each().collect()))?;
        family(&mut encoder, "tcp", &of(|worker| worker.tcp.each().collect()))?;
        family(&mut encoder, "worker", &of(|worker| worker.turning.each().collect()))?;
        gauge(&mut encoder, "calls", "Calls with somebody in them.", self.calls)?;
        gauge(&mut encoder, "records", "Records in memory.", self.records)?;
        let is_ok = usize::from(self.storage == StorageState::Ok);
        gauge(&mut encoder, "storage_ok", "1 while what is typed can be stored.", is_ok)
    }
}

/// The same counters of each worker.
fn family(
    encoder: &mut DescriptorEncoder<'_>,
    part: &str,
    workers: &[Vec<Counter>],
) -> fmt::Result {
    for (at, &Counter { name, help, .. }) in workers.first().into_iter().flatten().enumerate() {
        let name = format!("{part}_{name}");
        let mut metric =
            encoder.encode_descriptor(&name, help.trim(), None, MetricType::Counter)?;
        for (worker, counters) in workers.iter().enumerate() {
            let value = counters.get(at).map_or(0, |counter| counter.value);
            let labels = [("worker", worker.to_string())];
            ConstCounter::new(value).encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: usize) -> fmt::Result {
    let value = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    value.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}
