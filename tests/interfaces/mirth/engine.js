// What a script finds in the engine, as far as the scripts of the bridge use it: the Response and Status classes, the maps
// and the scope of a response transformer with Raw data types. Rhino and Apache HttpClient are the real ones.
var realPackages = Packages;
var Status = {};
['SENT', 'QUEUED', 'ERROR', 'FILTERED', 'RECEIVED'].forEach(function (name) {
    Status[name] = { toString: function () { return name; } };
});
var SENT = Status.SENT;
var QUEUED = Status.QUEUED;
var ERROR = Status.ERROR;

function Response(status, message, statusMessage, error) {
    this.getStatus = function () { return status; };
    this.getMessage = function () { return message; };
    this.getStatusMessage = function () { return statusMessage; };
    this.getError = function () { return error; };
}

Packages = {
    org: realPackages.org,
    java: realPackages.java,
    com: { mirth: { connect: { userutil: { Response: Response, Status: Status } } } }
};

var configurationMap = new realPackages.java.util.HashMap();
var connectorMap = null;
var channelMap = null;
var router = null;
var response = null;
var responseStatus = null;
var responseStatusMessage = null;
var responseErrorMessage = null;
var msg = null;

function $co(key, value) {
    return arguments.length === 1 ? connectorMap.get(key) : connectorMap.put(key, value);
}

// A step as the engine runs it: msg is a String object (of "null" where there is no message), the step is the body of a
// function, and what it leaves in the scope is the response.
function runStep(script, given) {
    var routed = [];
    connectorMap = new realPackages.java.util.HashMap();
    channelMap = new realPackages.java.util.HashMap();
    if (given.code !== null) {
        connectorMap.put('responseStatusCode', realPackages.java.lang.Integer.valueOf(given.code));
    }
    router = {
        routeMessageByChannelId: function (id, message) {
            routed.push([String(id), String(message)]);
            return given.routed ? new Response(Status[given.routed], null) : null;
        }
    };
    response = new Response(Status[given.status], given.message === null ? null : new realPackages.java.lang.String(given.message));
    responseStatus = response.getStatus();
    responseStatusMessage = null;
    responseErrorMessage = null;
    msg = new String(response.getMessage());
    eval('(function doTransform() {\n\n\n' + script + '\n})')();
    return {
        status: String(responseStatus),
        said: responseStatusMessage === null ? null : String(responseStatusMessage),
        http: channelMap.get('bridgeStatus') === null ? null : String(channelMap.get('bridgeStatus')),
        message: String(msg),
        routed: routed
    };
}

function told(response) {
    return {
        status: String(response.getStatus()),
        message: response.getMessage(),
        said: response.getStatusMessage(),
        error: response.getError()
    };
}
