/** What the widget says, in five languages. `{n}` and `{name}` are filled in; `one`/`other` follow the plural rules. */

const en = {
  title: "Chat with us",
  greeting: "Hello! How can we help?",
  open: "Open chat", close: "Close chat",
  unread: { one: "{n} unread message", other: "{n} unread messages" },
  log: "Messages", message: "Your message", placeholder: "Write a message…", send: "Send", attach: "Attach a file",
  you: "You", agent: "Agent", bot: "Assistant",
  sending: "Sending", sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not sent",
  retry: "Try again", discard: "Delete", earlier: "Show earlier messages", loading: "Loading…",
  historyFailed: "Earlier messages could not be loaded.",
  typing: "{name} is writing…",
  connecting: "Connecting…", online: "We are here for you", reconnecting: "Connection lost. Reconnecting…",
  retryNow: "Reconnect now", offline: "You are offline. Messages are sent when you are back.",
  replaced: "The chat continues in another window.", useHere: "Use it here",
  dismiss: "Dismiss", uploading: "Uploading {name}", uploaded: "{name} is ready to send",
  cancelUpload: "Cancel upload of {name}", removeFile: "Remove {name}", image: "Image {name}",
  newTab: "opens in a new tab", newMessage: "New message from {name}", choose: "Choose an answer",
  queueNext: "You are next.", queueNumber: "You are number {n} in the queue.", wait: "The wait is about {time}.", waitSoon: "The wait is less than a minute.",
  queueClosed: "We are closed and open again: {time}. You keep your place.", queueNobody: "Nobody is available right now. You keep your place.",
  callback: "We will get back to you when it is your turn. You need not wait.", callbackLater: "We will get back to you, not before {time}. You need not wait.",
  turn: "It is your turn: somebody is with you now.",
  errors: {
    rate_limited: "That was a little fast. Your message goes out in a moment.",
    bad_frame: "The message could not be understood by the server.",
    text_too_long: "The message is too long.",
    closed: "This conversation has been closed.",
    unavailable: "We cannot take messages right now. Yours goes out as soon as we can.",
    file_too_large: "{name} is too large; {size} is the most we can take.",
    file_type: "Files like {name} are not accepted.",
    upload_failed: "{name} could not be uploaded.",
    auth: "We could not sign you in to the chat. Please load the page again.",
    origin: "The chat is not available on this site.",
    blocked: "This site does not allow the chat to connect.",
    other: "Something went wrong. Please try again.",
  },
};

const de = {
  title: "Chat mit uns",
  greeting: "Hallo! Wie können wir helfen?",
  open: "Chat öffnen", close: "Chat schließen",
  unread: { one: "{n} ungelesene Nachricht", other: "{n} ungelesene Nachrichten" },
  log: "Nachrichten", message: "Ihre Nachricht", placeholder: "Nachricht schreiben …", send: "Senden", attach: "Datei anhängen",
  you: "Sie", agent: "Beratung", bot: "Assistent",
  sending: "Wird gesendet", sent: "Gesendet", delivered: "Zugestellt", read: "Gelesen", failed: "Nicht gesendet",
  retry: "Erneut versuchen", discard: "Löschen", earlier: "Frühere Nachrichten zeigen", loading: "Wird geladen …",
  historyFailed: "Frühere Nachrichten konnten nicht geladen werden.",
  typing: "{name} schreibt …",
  connecting: "Verbindung wird aufgebaut …", online: "Wir sind für Sie da", reconnecting: "Verbindung unterbrochen. Neuer Versuch …",
  retryNow: "Jetzt verbinden", offline: "Sie sind offline. Nachrichten gehen hinaus, sobald Sie wieder verbunden sind.",
  replaced: "Der Chat läuft in einem anderen Fenster weiter.", useHere: "Hier verwenden",
  dismiss: "Ausblenden", uploading: "{name} wird hochgeladen", uploaded: "{name} ist bereit zum Senden",
  cancelUpload: "Hochladen von {name} abbrechen", removeFile: "{name} entfernen", image: "Bild {name}",
  newTab: "öffnet in neuem Tab", newMessage: "Neue Nachricht von {name}", choose: "Antwort wählen",
  queueNext: "Sie sind als Nächstes an der Reihe.", queueNumber: "Sie sind Nummer {n} in der Warteschlange.", wait: "Wartezeit: etwa {time}.", waitSoon: "Wartezeit: weniger als eine Minute.",
  queueClosed: "Wir haben geschlossen und öffnen wieder: {time}. Sie behalten Ihren Platz.", queueNobody: "Zurzeit ist niemand verfügbar. Sie behalten Ihren Platz.",
  callback: "Wir melden uns bei Ihnen, sobald Sie an der Reihe sind. Sie brauchen nicht zu warten.", callbackLater: "Wir melden uns bei Ihnen, nicht vor {time}. Sie brauchen nicht zu warten.",
  turn: "Sie sind an der Reihe: Jetzt ist jemand für Sie da.",
  errors: {
    rate_limited: "Das war etwas schnell. Ihre Nachricht geht gleich hinaus.",
    bad_frame: "Der Server konnte die Nachricht nicht verstehen.",
    text_too_long: "Die Nachricht ist zu lang.",
    closed: "Dieses Gespräch ist beendet.",
    unavailable: "Wir können gerade keine Nachrichten annehmen. Ihre geht hinaus, sobald es wieder geht.",
    file_too_large: "{name} ist zu groß; höchstens {size} sind möglich.",
    file_type: "Dateien wie {name} werden nicht angenommen.",
    upload_failed: "{name} konnte nicht hochgeladen werden.",
    auth: "Die Anmeldung im Chat ist fehlgeschlagen. Bitte laden Sie die Seite neu.",
    origin: "Der Chat ist auf dieser Website nicht verfügbar.",
    blocked: "Diese Website erlaubt dem Chat keine Verbindung.",
    other: "Etwas ist schiefgegangen. Bitte versuchen Sie es erneut.",
  },
};

const es = {
  title: "Habla con nosotros",
  greeting: "¡Hola! ¿En qué podemos ayudarte?",
  open: "Abrir chat", close: "Cerrar chat",
  unread: { one: "{n} mensaje sin leer", other: "{n} mensajes sin leer" },
  log: "Mensajes", message: "Tu mensaje", placeholder: "Escribe un mensaje…", send: "Enviar", attach: "Adjuntar un archivo",
  you: "Tú", agent: "Agente", bot: "Asistente",
  sending: "Enviando", sent: "Enviado", delivered: "Entregado", read: "Leído", failed: "No enviado",
  retry: "Reintentar", discard: "Eliminar", earlier: "Ver mensajes anteriores", loading: "Cargando…",
  historyFailed: "No se pudieron cargar los mensajes anteriores.",
  typing: "{name} está escribiendo…",
  connecting: "Conectando…", online: "Estamos aquí para ayudarte", reconnecting: "Conexión perdida. Reconectando…",
  retryNow: "Reconectar ahora", offline: "Estás sin conexión. Los mensajes se enviarán cuando vuelvas.",
  replaced: "El chat continúa en otra ventana.", useHere: "Usar aquí",
  dismiss: "Descartar", uploading: "Subiendo {name}", uploaded: "{name} está listo para enviar",
  cancelUpload: "Cancelar la subida de {name}", removeFile: "Quitar {name}", image: "Imagen {name}",
  newTab: "se abre en otra pestaña", newMessage: "Nuevo mensaje de {name}", choose: "Elige una respuesta",
  queueNext: "Es su turno a continuación.", queueNumber: "Es el número {n} de la cola.", wait: "Tiempo de espera: {time} aproximadamente.", waitSoon: "Tiempo de espera: menos de un minuto.",
  queueClosed: "Está cerrado y abrimos de nuevo: {time}. Conserva su lugar.", queueNobody: "Ahora no hay nadie disponible. Conserva su lugar.",
  callback: "Le contactaremos cuando llegue su turno. No hace falta que espere.", callbackLater: "Le contactaremos, no antes de {time}. No hace falta que espere.",
  turn: "Es su turno: ya le atienden.",
  errors: {
    rate_limited: "Vas un poco rápido. Tu mensaje saldrá en un momento.",
    bad_frame: "El servidor no pudo entender el mensaje.",
    text_too_long: "El mensaje es demasiado largo.",
    closed: "Esta conversación se ha cerrado.",
    unavailable: "Ahora no podemos recibir mensajes. El tuyo saldrá en cuanto sea posible.",
    file_too_large: "{name} es demasiado grande; el máximo es {size}.",
    file_type: "No se aceptan archivos como {name}.",
    upload_failed: "No se pudo subir {name}.",
    auth: "No pudimos identificarte en el chat. Vuelve a cargar la página.",
    origin: "El chat no está disponible en este sitio.",
    blocked: "Este sitio no permite que el chat se conecte.",
    other: "Algo salió mal. Inténtalo de nuevo.",
  },
};

const pt = {
  title: "Fale conosco",
  greeting: "Olá! Como podemos ajudar?",
  open: "Abrir chat", close: "Fechar chat",
  unread: { one: "{n} mensagem não lida", other: "{n} mensagens não lidas" },
  log: "Mensagens", message: "Sua mensagem", placeholder: "Escreva uma mensagem…", send: "Enviar", attach: "Anexar um arquivo",
  you: "Você", agent: "Atendente", bot: "Assistente",
  sending: "Enviando", sent: "Enviada", delivered: "Entregue", read: "Lida", failed: "Não enviada",
  retry: "Tentar de novo", discard: "Excluir", earlier: "Mostrar mensagens anteriores", loading: "Carregando…",
  historyFailed: "Não foi possível carregar as mensagens anteriores.",
  typing: "{name} está escrevendo…",
  connecting: "Conectando…", online: "Estamos aqui para ajudar", reconnecting: "Conexão perdida. Reconectando…",
  retryNow: "Reconectar agora", offline: "Você está offline. As mensagens serão enviadas quando você voltar.",
  replaced: "O chat continua em outra janela.", useHere: "Usar aqui",
  dismiss: "Dispensar", uploading: "Enviando {name}", uploaded: "{name} está pronto para envio",
  cancelUpload: "Cancelar o envio de {name}", removeFile: "Remover {name}", image: "Imagem {name}",
  newTab: "abre em nova aba", newMessage: "Nova mensagem de {name}", choose: "Escolha uma resposta",
  queueNext: "O próximo atendimento é o seu.", queueNumber: "A sua posição na fila é {n}.", wait: "Tempo de espera: cerca de {time}.", waitSoon: "Tempo de espera: menos de um minuto.",
  queueClosed: "Estamos fechados e abrimos de novo: {time}. O seu lugar fica guardado.", queueNobody: "Não há ninguém disponível agora. O seu lugar fica guardado.",
  callback: "Entraremos em contato quando chegar a sua vez. Não é preciso esperar.", callbackLater: "Entraremos em contato, não antes de {time}. Não é preciso esperar.",
  turn: "É a sua vez: já há alguém a atender.",
  errors: {
    rate_limited: "Foi um pouco rápido. Sua mensagem sai em instantes.",
    bad_frame: "O servidor não conseguiu entender a mensagem.",
    text_too_long: "A mensagem é longa demais.",
    closed: "Esta conversa foi encerrada.",
    unavailable: "Não podemos receber mensagens agora. A sua sai assim que for possível.",
    file_too_large: "{name} é grande demais; o máximo é {size}.",
    file_type: "Arquivos como {name} não são aceitos.",
    upload_failed: "Não foi possível enviar {name}.",
    auth: "Não conseguimos identificar você no chat. Recarregue a página.",
    origin: "O chat não está disponível neste site.",
    blocked: "Este site não permite que o chat se conecte.",
    other: "Algo deu errado. Tente novamente.",
  },
};

const zh = {
  title: "在线咨询",
  greeting: "您好！请问有什么可以帮您？",
  open: "打开聊天", close: "关闭聊天",
  unread: { other: "{n} 条未读消息" },
  log: "消息", message: "您的消息", placeholder: "输入消息…", send: "发送", attach: "添加文件",
  you: "您", agent: "客服", bot: "智能助手",
  sending: "发送中", sent: "已发送", delivered: "已送达", read: "已读", failed: "未发送",
  retry: "重试", discard: "删除", earlier: "显示更早的消息", loading: "加载中…",
  historyFailed: "无法加载更早的消息。",
  typing: "{name}正在输入…",
  connecting: "正在连接…", online: "我们随时为您服务", reconnecting: "连接已断开，正在重新连接…",
  retryNow: "立即重连", offline: "您已离线。恢复连接后消息会自动发送。",
  replaced: "聊天已在另一个窗口中继续。", useHere: "在此处使用",
  dismiss: "关闭提示", uploading: "正在上传 {name}", uploaded: "{name} 可以发送了",
  cancelUpload: "取消上传 {name}", removeFile: "移除 {name}", image: "图片 {name}",
  newTab: "在新标签页中打开", newMessage: "{name}发来新消息", choose: "请选择一个回答",
  queueNext: "下一位就是您。", queueNumber: "您排在第{n}位。", wait: "预计等待约{time}。", waitSoon: "预计等待不到1分钟。",
  queueClosed: "现在不在服务时间，恢复服务：{time}。您的位置会保留。", queueNobody: "目前没有客服在线。您的位置会保留。",
  callback: "轮到您时我们会联系您，您不必等待。", callbackLater: "我们会在{time}之后联系您，您不必等待。",
  turn: "轮到您了，客服正在为您服务。",
  errors: {
    rate_limited: "发送得有点快，您的消息稍后会自动发出。",
    bad_frame: "服务器无法理解这条消息。",
    text_too_long: "消息太长了。",
    closed: "本次会话已结束。",
    unavailable: "暂时无法接收消息，恢复后会自动发出。",
    file_too_large: "{name} 太大，最大允许 {size}。",
    file_type: "不支持 {name} 这类文件。",
    upload_failed: "{name} 上传失败。",
    auth: "聊天登录失败，请刷新页面。",
    origin: "此网站无法使用聊天。",
    blocked: "此网站不允许聊天建立连接。",
    other: "出错了，请重试。",
  },
};

export const LANGUAGES = { en, de, es, pt, zh };

/**
 * The strings for the first wish that we can meet, with English for the rest.
 *
 * @param {(string|null|undefined)[]} wishes  BCP 47 tags, best first
 */
export function stringsFor(wishes) {
  for (const wish of wishes) {
    const language = String(wish ?? "").toLowerCase().split(/[-_]/u)[0];
    if (!Object.hasOwn(LANGUAGES, language)) continue;
    return makeStrings(LANGUAGES[language], localeOf(wish, language), language);
  }
  return makeStrings(en, "en", "en");
}

function localeOf(wish, language) {
  try {
    return Intl.getCanonicalLocales(wish.replaceAll("_", "-"))[0];
  } catch {
    return language;
  }
}

function makeStrings(table, locale, language) {
  const plural = new Intl.PluralRules(language);
  return {
    locale,
    language,
    /** The words for `key`; a key with plural forms needs `n`. */
    say(key, values = {}) {
      const found = table[key];
      return fill(typeof found === "string" ? found : found[plural.select(values.n)] ?? found.other, values);
    },
    /** The words for an error code; a code we do not know is told in the server's own words, if it has any. */
    error(code, values = {}, otherwise = "") {
      const known = Object.hasOwn(table.errors, code) ? table.errors[code] : otherwise || table.errors.other;
      return fill(known, values);
    },
  };
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/gu, (whole, name) => (name in values ? String(values[name]) : whole));
}
