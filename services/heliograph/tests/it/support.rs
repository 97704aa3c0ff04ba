//! A broker of one's own, and the binary beside it.

use std::{path::PathBuf, process::Output};

use heliograph_fabric::{Envelope, Fabric, Options, Stream};
use heliograph_proto::{Message as _, v1};
use heliograph_testkit::servers::NatsServer;
use tempfile::TempDir;
use tokio::process::Command;

/// The sample tenant.
pub(crate) const SAMPLE: &str = include_str!("../../../../deploy/samples/acme.yaml");

/// A broker, a folder, and the binary that is pointed at the one and works in the other.
pub(crate) struct Bench {
    pub(crate) nats: NatsServer,
    pub(crate) folder: TempDir,
}

/// What a command printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// The same, after checking that it succeeded.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Bench {
    /// A broker that is not provisioned.
    pub(crate) async fn bare() -> Self {
        Self { nats: NatsServer::start().await.unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    /// A provisioned broker.
    pub(crate) async fn provisioned() -> Self {
        let bench = Self::bare().await;
        bench.run(&["provision"]).await.ok();
        bench
    }

    /// A provisioned broker with the sample tenant applied as in development.
    pub(crate) async fn with_sample() -> Self {
        let bench = Self::provisioned().await;
        let file = bench.file("acme.yaml", SAMPLE);
        bench.run(&["apply", "-f", &file]).await.ok();
        bench
    }

    /// Writes a file; its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The binary, in development mode, with this broker.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = binary(args, self.folder.path().to_owned());
        command
            .env("HELIOGRAPH__NATS__URL", self.nats.url())
            .env("HELIOGRAPH__CHANNEL__INLINE_SECRETS", "true")
            .env(
                "HELIOGRAPH__ADMIN__SANDBOX",
                r#"{"provider_base": "http://127.0.0.1:9", "public_base": "http://127.0.0.1:8080"}"#,
            );
        command
    }

    /// Runs the binary to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Done {
        self.command(args).output().await.unwrap().into()
    }

    /// A connection of the test's own.
    pub(crate) async fn fabric(&self) -> Fabric {
        Fabric::connect(Options::new(self.nats.url(), "test")).await.unwrap()
    }

    /// Puts a message of a customer on the public stream.
    pub(crate) async fn event(&self, fabric: &Fabric, number: u32) {
        let id = format!("evt_{number}");
        let message = v1::Message {
            content: Some(heliograph_domain::content::text(format!("message {number}"))),
            address: Some(v1::Address { user_id: "+12125550100".to_owned(), ..v1::Address::default() }),
            ..v1::Message::default()
        };
        let event = v1::Event {
            id: id.clone(),
            r#type: "message.received".to_owned(),
            tenant: "acme".to_owned(),
            region: "north-america".to_owned(),
            channel: "sms".to_owned(),
            conversation: "cnv_1".to_owned(),
            payload: Some(v1::event::Payload::MessageReceived(v1::MessageReceived {
                message: Some(message),
                ..v1::MessageReceived::default()
            })),
            ..v1::Event::default()
        };
        let envelope = Envelope::new(id, "message.received", "test", 0, event.encode_to_vec());
        let subject = "hg.event.acme.north-america.sms.cnv_1.message.received";
        assert_eq!(Stream::of_subject(subject), Some(Stream::Events));
        fabric.publish(subject, &envelope, None).await.unwrap();
    }
}

/// The binary without any configuration from outside, in a folder.
pub(crate) fn binary(args: &[&str], folder: PathBuf) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heliograph"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HELIOGRAPH_") && name != "HELIOGRAPH_NATS_SERVER" {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(folder).env("NO_COLOR", "1").env("USER", "tester").kill_on_drop(true);
    command
}
