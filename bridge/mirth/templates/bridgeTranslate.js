/**
	Translates a document and returns a Response, ready to be returned from a JavaScript Writer: SENT with the
	translation, QUEUED if it is to be tried again, ERROR with the reasons if the document is at fault. It throws nothing.

	@param {String} body - The document: HL7 v2, FHIR JSON, DICOM JSON, or DICOM as Base64.
	@param {String} to - "fhir", "hl7v2", "dicom-json" or "dicom" (the translation is then Base64).
	@param {Object} options - Parameters of the call, { "fhir-release": "R5" }; contentType says what the document is.
	@return {Response} Its message is the translation, or the answer that says why there is none.
*/
function bridgeTranslate(body, to, options) {
    var Status = Packages.com.mirth.connect.userutil.Status;
    var given = options || {};
    var answer = bridgeCall('/v1/translate?to=' + encodeURIComponent(to) + bridgeQuery(given), body, given.contentType);
    var means = bridgeVerdict(answer.status, answer.body);
    if (means === 'done' && given.answer === 'ack' && !/[\r\n]MSA.[AC]A/.test(answer.body)) {
        means = 'stop';
    }
    var status = means === 'done' ? Status.SENT : means === 'stop' ? Status.ERROR : Status.QUEUED;
    var said = answer.status ? 'HTTP ' + answer.status + ' ' + bridgeReason(answer.body) : 'no answer: ' + answer.error;
    return new Packages.com.mirth.connect.userutil.Response(status, answer.body, said, means === 'done' ? null : said);
}
