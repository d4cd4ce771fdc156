from django.http import HttpResponse


def index(request, **kwargs):
    return HttpResponse('soon')


def detail(request, **kwargs):
    return HttpResponse('soon')


def live(request, **kwargs):
    return HttpResponse('soon')


def stop(request, **kwargs):
    return HttpResponse('soon')
