// Shows the document that lies beside this page. Nothing is asked of any other host: without
// `validatorUrl: null` the viewer would send the document's address to one.
window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
