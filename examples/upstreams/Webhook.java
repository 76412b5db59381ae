// An admission webhook in Java behind webhook-certd: plain HTTP, and no certificate to care for. It denies objects without
// the label team. To run it: LISTEN_ADDRESS=127.0.0.1:9000 java -cp gson.jar Webhook.java
import com.google.gson.Gson;
import com.sun.net.httpserver.*;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.Executors;

class Webhook {
  record Status(int code, String message) {}
  record Response(String uid, boolean allowed, Status status) {}
  record Answer(String apiVersion, String kind, Response response) {}

  static class Target { Target metadata; Map<String, String> labels; }
  static class Request { String uid, operation; Target object; }
  static class Review { String apiVersion, kind; Request request; }

  static void validate(HttpExchange call) throws IOException {
    var review = new Gson().fromJson(new InputStreamReader(call.getRequestBody(), "UTF-8"), Review.class);
    var object = review.request.object;
    var labels = object == null || object.metadata.labels == null ? Map.of() : object.metadata.labels;
    var allowed = review.request.operation.equals("DELETE") || labels.containsKey("team");
    var response = new Response(review.request.uid, allowed, allowed ? null : new Status(422, "label team is missing"));
    var answer = new Answer(review.apiVersion, review.kind, response);
    var body = new Gson().toJson(answer).getBytes("UTF-8");
    call.getResponseHeaders().set("Content-Type", "application/json");
    call.sendResponseHeaders(200, body.length);
    try (var stream = call.getResponseBody()) { stream.write(body); }
  }

  public static void main(String[] arguments) throws IOException {
    var address = System.getenv("LISTEN_ADDRESS").split(":");
    var server = HttpServer.create(new InetSocketAddress(address[0], Integer.parseInt(address[1])), 0);
    server.createContext("/validate", Webhook::validate);
    server.setExecutor(Executors.newCachedThreadPool());
    server.start();
  }
}
