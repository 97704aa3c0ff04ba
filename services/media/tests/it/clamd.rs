//! A scanner that speaks clamd's protocol and knows one virus: the test file of the European Institute for Computer
//! Antivirus Research.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// In two parts, so that no scanner takes this source for infected.
pub(crate) fn eicar() -> Vec<u8> {
    [r"X5O!P%@AP[4\PZX54(P^)7CC)7}", "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat().into_bytes()
}

pub(crate) struct Clamd {
    pub(crate) at: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Clamd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Clamd {
    pub(crate) async fn start(at: SocketAddr) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let at = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(async move { answer(socket).await.unwrap() });
            }
        });
        Self { at, task }
    }
}

async fn answer(mut socket: TcpStream) -> std::io::Result<()> {
    let mut command = [0; 10];
    socket.read_exact(&mut command).await?;
    if &command != b"zINSTREAM\0" {
        return socket.write_all(b"UNKNOWN COMMAND\0").await;
    }
    let mut content = Vec::new();
    loop {
        let length = socket.read_u32().await?;
        if length == 0 {
            break;
        }
        let begin = content.len();
        content.resize(begin + usize::try_from(length).unwrap(), 0);
        socket.read_exact(&mut content[begin..]).await?;
    }
    let answer: &[u8] =
        if content == eicar() { b"stream: Eicar-Test-Signature FOUND\0" } else { b"stream: OK\0" };
    socket.write_all(answer).await
}
